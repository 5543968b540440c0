-- Facts and the audit log are added to, never changed.

CREATE FUNCTION never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = '23514';
END $$;
CREATE TRIGGER statement_immutable BEFORE UPDATE OR DELETE ON statement FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER audit_immutable BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION never_changed();

package db

// MigrateFrom lets a test bring its own migrations.
var MigrateFrom = (*DB).migrate

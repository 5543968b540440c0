package web

import "attune/internal/auth"

// route is something that can be asked, and who may ask it.
type route struct {
	pattern string
	needs   auth.Permission
	handle  handler
}

const importRoute = "POST /people/import"

// routes is the whole site: what can be asked, and who may ask it. Where a
// person may see their own or their team's, and no more, the handler sees to it.
func (s *Server) routes() []route {
	return []route{
		{"GET /{$}", auth.Anyone, s.home},
		{"GET /sign-in", auth.Anyone, s.signInPage},
		{"POST /sign-in", auth.Anyone, s.signIn},
		{"POST /sign-out", auth.Anyone, s.signOut},
		{"POST /preferences", auth.Anyone, s.preferences},
		{"GET /setup", auth.Anyone, s.setupPage},
		{"POST /setup", auth.Anyone, s.setup},
		{"GET /account", auth.SignedIn, s.account},
		{"POST /account/password", auth.SignedIn, s.changePassword},
		{"POST /account/sessions/{id}/end", auth.SignedIn, s.endSession},
		{"GET /search", auth.SignedIn, s.search},

		// the loop
		{"GET /overview", auth.ReadLoop, s.overview},
		{"GET /needs", auth.ReadLoop, s.needs},
		{"POST /needs/find", auth.ManageLoop, s.findNeeds},
		{"POST /needs/approve", auth.ManageLoop, s.approveNeed},
		{"GET /needs/cell", auth.ReadLoop, s.needCell},
		{"GET /needs/{skill}", auth.ReadLoop, s.needDetail},
		{"GET /content", auth.ReadLoop, s.courses},
		{"GET /content/items", auth.ReadLoop, s.items},
		{"GET /content/{course}", auth.ReadLoop, s.course},
		{"GET /plan", auth.ReadLoop, s.plan},
		{"POST /plan", auth.ManageLoop, s.draftPlan},
		{"GET /plan/jobs/{job}", auth.ManageLoop, s.solving},
		{"GET /plan/jobs/{job}/progress", auth.ManageLoop, s.solveProgress},
		{"POST /plan/{plan}/approve", auth.ManageLoop, s.approvePlan},
		{"GET /plans/{plan}/pools/{offering}", auth.ReadLoop, s.pool},
		{"GET /delivery", auth.ReadLoop, s.delivery},
		{"GET /sessions/{session}", auth.Teach, s.session},
		{"POST /sessions/{session}/attendance", auth.Teach, s.mark},
		{"POST /sessions/{session}/close", auth.Teach, s.closeSheet},
		{"GET /effect", auth.ReadLoop, s.effect},
		{"GET /effect/people", auth.ReadPeople, s.effectPeople},
		{"POST /effect/next", auth.ManageLoop, s.openNext},
		{"GET /evidence", auth.SignedIn, s.evidence},
		{"GET /evidence.json", auth.SignedIn, s.evidenceFile},
		{"GET /evidence/{statement}", auth.SignedIn, s.statement},

		// people
		{"GET /people", auth.ReadPeople, s.people},
		{"GET /people/import", auth.ImportStaff, s.importPage},
		{importRoute, auth.ImportStaff, s.importPeople},
		{"GET /people/{person}", auth.ReadPeople, s.person},
		{"GET /team", auth.ReadTeam, s.team},
		{"GET /team/{person}", auth.ReadTeam, s.teamPerson},

		// learning
		{"GET /today", auth.Learn, s.today},
		{"GET /learn", auth.Learn, s.learn},
		{"GET /learn/{course}", auth.Learn, s.learnCourse},
		{"GET /learn/{course}/{activity}", auth.Learn, s.play},
		{"POST /learn/activities/{activity}/state", auth.Learn, s.saveState},
		{"POST /learn/activities/{activity}/answer", auth.Learn, s.answerItem},
		{"POST /learn/activities/{activity}/visit", auth.Learn, s.recordVisit},
		{"POST /learn/activities/{activity}/complete", auth.Learn, s.complete},
		{"GET /sign-in/{session}", auth.Learn, s.attendPage},
		{"POST /sign-in/{session}", auth.Learn, s.attend},
		{"GET /tests/{test}", auth.Learn, s.testIntro},
		{"POST /tests/{test}", auth.Learn, s.startTest},
		{"GET /attempts/{attempt}", auth.Learn, s.nextItem},
		{"GET /attempts/{attempt}/result", auth.Learn, s.testResult},
		{"GET /attempts/{attempt}/{place}", auth.Learn, s.item},
		{"POST /attempts/{attempt}/{place}", auth.Learn, s.giveAnswer},
		{"POST /attempts/{attempt}/finish", auth.Learn, s.finishTest},
		{"GET /surveys/{survey}", auth.Learn, s.survey},
		{"POST /surveys/{survey}", auth.Learn, s.respond},
		{"GET /review", auth.Learn, s.review},
		{"GET /me", auth.Learn, s.me},
		{"POST /me/consent", auth.Learn, s.consent},

		// the rest of the house
		{"GET /desk", auth.Serve, s.desk},
		{"GET /voice", auth.ReadVoice, s.voice},
		{"GET /admin", auth.Administer, s.admin},
		{"GET /admin/accounts", auth.Administer, s.accounts},
		{"POST /admin/accounts", auth.Administer, s.addAccount},
		{"POST /admin/accounts/{account}/disable", auth.Administer, s.disableAccount},
		{"GET /admin/audit", auth.Administer, s.auditLog},
	}
}

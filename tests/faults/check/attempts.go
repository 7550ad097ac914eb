package check

// attempts checks that a ring, accept, decline, leave or take that names an attempt affects only that attempt.
// Every change of its sender must carry that attempt number. It is written from CONTRACT, section 2.
func attempts(r *run, v *verdict) {
	type sender struct{ app, call, user, id string }
	named := map[sender]map[int]bool{} // a command id that was used twice may name two
	for _, m := range r.messages {
		switch m.Verb {
		case "ring", "accept", "decline", "leave", "take":
			c := saidByHand(m)
			key := sender{m.App, m.CallID, c.UserID, c.CommandID}
			if named[key] == nil {
				named[key] = map[int]bool{}
			}
			named[key][c.Attempt] = true
		}
	}
	for _, s := range r.stories {
		for _, st := range s.steps {
			p, ok := byHand(st)
			want := named[sender{s.app, s.call, p.Data.By.UserID, p.CommandID}]
			if !ok || p.Data.By.Kind != "user" || len(want) == 0 || want[0] {
				continue
			}
			for _, ch := range p.Data.Changes {
				if v.looked(); ch.UserID == p.Data.By.UserID && ch.Attempt != 0 && !want[ch.Attempt] {
					v.fail(s, "%s changed attempt %d of %s, but its command names another: %v", r.describe(st), ch.Attempt, ch.UserID, want)
				}
			}
		}
	}
}

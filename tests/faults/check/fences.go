package check

import "time"

// The contract's lifetime of a claim, and the time that a hang-up waits for an invitation that it may have
// overtaken.
const (
	claimHolds  = 30 * time.Second
	hangUpWaits = 5 * time.Second
)

// fences checks the transitions that fence a call. Another call's command may fence a call only if a claim
// for it was in flight for 30 s. So the first invite or add of the fenced call must be that old. A hang-up
// may fence an unknown call id only when the hang-up is 5 s old. It is written from DESIGN, section 2.
func fences(r *run, v *verdict) {
	for _, s := range r.stories {
		for _, st := range s.steps {
			p, ok := byHand(st)
			if !ok || p.Data.Event != "fenced" {
				continue
			}
			v.looked()
			claimed, hungUp := int64(never), int64(never) // send times of the first message that may have claimed, and of the hang-up that made the fence
			for _, m := range s.messages {
				switch m.Verb {
				case "invite", "add":
					claimed = min(claimed, m.At)
				case "cancel", "leave", "end":
					if saidByHand(m).CommandID == p.CommandID {
						hungUp = min(hungUp, m.At)
					}
				}
			}
			switch {
			case hungUp != never:
				v.count("by a hang-up", 1)
				if st.at < hungUp+int64(hangUpWaits-clockError) {
					v.fail(s, "%s took the id out of use %v after the hang-up was sent", r.describe(st), time.Duration(st.at-hungUp))
				}
			case claimed == never:
				v.fail(s, "%s took over a claim of a call without an invitation", r.describe(st))
			default:
				v.count("taken over", 1)
				if st.at < claimed+int64(claimHolds-clockError) {
					v.fail(s, "%s took over a claim %v after its first invitation was sent; it may last for %v", r.describe(st),
						time.Duration(st.at-claimed).Round(time.Millisecond), claimHolds)
				}
			}
		}
	}
}

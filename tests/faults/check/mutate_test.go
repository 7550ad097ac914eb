package check_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/record"
)

// mutation corrupts a correct history at a random place. It returns false if there is no suitable place. One
// of the wanted checks must report it.
type mutation struct {
	name string
	want []string
	do   func(h *record.History, rng *rand.Rand) bool
}

func mutations() []mutation {
	return []mutation{
		{"a transition is missing", []string{"history", "notified", "winner", "linearizable"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Rest.Calls, func(s record.Stored) bool { return wasReceived(h, s) })
			return drop(&h.Rest.Calls, i)
		}},
		{"a duplicate transition", []string{"history"}, func(h *record.History, rng *rand.Rand) bool {
			i := rng.IntN(len(h.Rest.Calls))
			h.Rest.Calls = slices.Insert(h.Rest.Calls, i, h.Rest.Calls[i])
			return true
		}},
		{"two transitions changed places", []string{"history"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Rest.Calls, func(s record.Stored) bool { return seqOf(s) > 1 })
			for j := range max(i, 0) {
				if a, b := &h.Rest.Calls[j], &h.Rest.Calls[i]; a.Subject == b.Subject && seqOf(*a) == seqOf(*b)-1 {
					a.Data, b.Data = b.Data, a.Data
					return true
				}
			}
			return false
		}},
		{"a transition is another's", []string{"history"}, func(h *record.History, rng *rand.Rand) bool {
			s := &h.Rest.Calls[rng.IntN(len(h.Rest.Calls))]
			s.Data = strings.Replace(s.Data, `"causationid":"`, `"causationid":"x`, 1)
			return true
		}},
		{"a transition says something else", []string{"history"}, func(h *record.History, rng *rand.Rand) bool {
			s := &h.Rest.Calls[rng.IntN(len(h.Rest.Calls))]
			s.Data = strings.Replace(s.Data, `"call_type":0`, `"call_type":1`, 1)
			return true
		}},
		{"a sent command is missing", []string{"history"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Sent, func(s record.Sent) bool { return s.Verb == "invite" && made(h, s) })
			if i < 0 {
				return false
			}
			id := h.Sent[i].Body
			h.Sent = slices.DeleteFunc(h.Sent, func(s record.Sent) bool { return s.Body == id })
			return true
		}},
		{"an answer says something else", []string{"linearizable"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Answers, func(a record.Answer) bool { return strings.Contains(a.Body, `"ok":true`) && once(h, a.N) })
			if i < 0 {
				return false
			}
			h.Answers[i].Body = strings.Replace(h.Answers[i].Body, `"ok":true`, `"ok":false,"error":{"code":"answered_elsewhere","message":""}`, 1)
			return true
		}},
		{"an answer shows another call", []string{"linearizable"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Answers, func(a record.Answer) bool { return strings.Contains(a.Body, `"call_type":0`) })
			if i < 0 {
				return false
			}
			h.Answers[i].Body = strings.Replace(h.Answers[i].Body, `"call_type":0`, `"call_type":1`, 1)
			return true
		}},
		{"a refusal is ok", []string{"linearizable"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Answers, func(a record.Answer) bool { return strings.Contains(a.Body, `"permission_denied"`) })
			if i < 0 {
				return false
			}
			h.Answers[i].Body = strings.Replace(h.Answers[i].Body, `"ok":false`, `"ok":true`, 1)
			return true
		}},
		{"a notification without a transition", []string{"notified"}, func(h *record.History, rng *rand.Rand) bool {
			x := &h.Notifications[rng.IntN(len(h.Notifications))]
			x.Seq, x.ID = x.Seq+50, x.CallID+"-99-0"
			return true
		}},
		{"another notification", []string{"notified"}, func(h *record.History, rng *rand.Rand) bool {
			h.Notifications[rng.IntN(len(h.Notifications))].Event = "participant_vanished"
			return true
		}},
		{"a notification to another user", []string{"notified"}, func(h *record.History, rng *rand.Rand) bool {
			h.Notifications[rng.IntN(len(h.Notifications))].To = "zoe"
			return true
		}},
		{"a notification is missing", []string{"notified"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Notifications, func(x record.Notification) bool { return connected(h, x) && receivedOnce(h, x) })
			return drop(&h.Notifications, i)
		}},
		{"a notification too early", []string{"notified"}, func(h *record.History, rng *rand.Rand) bool {
			h.Notifications[rng.IntN(len(h.Notifications))].At -= 100 * second
			return true
		}},
		{"stored after it was answered", []string{"winner"}, func(h *record.History, rng *rand.Rand) bool {
			i := find(rng, h.Sent, func(s record.Sent) bool { return s.Verb == "invite" && made(h, s) && answeredOK(h, s.N) })
			if i < 0 {
				return false
			}
			for j, s := range h.Rest.Calls {
				if s.Subject == events.TransitionSubject("demo", h.Sent[i].CallID) {
					h.Rest.Calls[j].At += 1000 * second
				}
			}
			return true
		}},
	}
}

// A correct history that is corrupted in one place has violations.
func TestMutationsAreFound(t *testing.T) {
	t.Parallel()
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			done := uint64(0)
			n := seeds(20)
			for seed := range n {
				rng := rand.New(rand.NewPCG(seed, 3))
				h := randomRun(t, seed, 60)
				if !m.do(h, rng) {
					continue
				}
				done++
				report := check.Check(h, check.DefaultBounds())
				if !slices.ContainsFunc(report.Violations, func(v check.Violation) bool { return slices.Contains(m.want, v.Check) }) {
					t.Errorf("seed %d: not found by %v: %+v", seed, m.want, report.Violations)
				}
			}
			if done < n/3 {
				t.Errorf("it found a place in %d of %d runs only", done, n)
			}
		})
	}
}

// find returns the index of a random element that fits, or -1 if there is none.
func find[T any](rng *rand.Rand, from []T, fits func(T) bool) int {
	var list []int
	for i, x := range from {
		if fits(x) {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return -1
	}
	return list[rng.IntN(len(list))]
}

func drop[T any](from *[]T, i int) bool {
	if i < 0 {
		return false
	}
	*from = slices.Delete(*from, i, i+1)
	return true
}

func transition(s record.Stored) events.Transition {
	app, id, _ := events.ParseTransitionSubject(s.Subject)
	t, _, _ := events.ReadTransition(app, id, []byte(s.Data))
	return t
}

func seqOf(s record.Stored) int { return transition(s).Seq }

// wasReceived reports whether a watcher received a notification of the transition.
func wasReceived(h *record.History, s record.Stored) bool {
	t := transition(s)
	return slices.ContainsFunc(h.Notifications, func(x record.Notification) bool { return x.CallID == t.Call.CallID && x.Seq == t.Seq })
}

// made reports whether the invitation made its call.
func made(h *record.History, s record.Sent) bool {
	cmd, _ := events.ReadCommand(events.CommandAddress{App: s.App, CallID: s.CallID, Verb: events.Verb(s.Verb)}, []byte(s.Body))
	return slices.ContainsFunc(h.Rest.Calls, func(c record.Stored) bool {
		t := transition(c)
		return t.Call.CallID == s.CallID && t.Event == events.EventInvited && t.CommandID == cmd.CommandID && t.By.UserID == cmd.UserID && t.Call.EndReason != events.EndMerged
	})
}

// once reports whether the message has one answer, and is the only message with its command.
func once(h *record.History, n int) bool {
	answers, messages := 0, 0
	for _, a := range h.Answers {
		if a.N == n {
			answers++
		}
	}
	for _, s := range h.Sent {
		if s.Body == h.Sent[n].Body {
			messages++
		}
	}
	return answers == 1 && messages == 1
}

func answeredOK(h *record.History, n int) bool {
	return slices.ContainsFunc(h.Answers, func(a record.Answer) bool { return a.N == n && strings.Contains(a.Body, `"ok":true`) })
}

// connected reports whether all watchers were connected around that time.
func connected(h *record.History, x record.Notification) bool {
	return !slices.ContainsFunc(h.Gaps, func(g record.Gap) bool { return g.From-6*second < x.At && x.At < g.To+6*second })
}

func receivedOnce(h *record.History, x record.Notification) bool {
	count := 0
	for _, y := range h.Notifications {
		if y.Watcher == x.Watcher && y.ID == x.ID && y.To == x.To {
			count++
		}
	}
	return count == 1
}

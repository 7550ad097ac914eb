package check

import "strings"

// eventLog checks that RINGLINE_EVENTS equals RINGLINE_CALLS, in the same order and byte for byte. If a fault
// lowered its limit, the oldest events may be missing. It is written from CONTRACT, section 5.
func eventLog(r *run, v *verdict) {
	log := r.Rest.Events
	if log == nil {
		v.exempt("it was not read")
		return
	}
	calls := r.Rest.Calls
	for _, f := range r.Faults {
		if f.Kind == eventsFull && len(log) < len(calls) {
			v.count("exempt: the oldest were deleted", len(calls)-len(log))
			calls = calls[len(calls)-len(log):]
			break
		}
	}
	if v.looked(); len(log) != len(calls) {
		v.failApp("", "", "the event log has %d transitions, but %d are stored", len(log), len(calls))
		return
	}
	for i, c := range calls {
		v.looked()
		app, _, _ := strings.Cut(strings.TrimPrefix(c.Subject, "ringline."), ".")
		if e := log[i]; e.Data != c.Data || e.Subject != "ringline."+app+".events" {
			v.failApp(app, "", "transition %d of the event log is on %s: %.200s; the stored one is on %s: %.200s", i+1, e.Subject, e.Data, c.Subject, c.Data)
			return // all further differences follow from this one
		}
	}
}

// eventsFull is the fault kind that fills the event log.
const eventsFull = "events-full"

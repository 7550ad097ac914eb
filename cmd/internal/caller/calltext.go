package caller

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// callText shows a call: one line for the call, then one per party.
func callText(p colors, c events.Call, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", p.Bold(c.CallID), strings.Join(present(
		p.callState(c.State, callStateText(c)), typeText(c.CallType), roomText(c), quotedData(c.CustomData)), "  "))

	widest, rows := 0, []row{callerRow(c.Caller)}
	for _, x := range c.Callees {
		rows = append(rows, calleeRow(x, now))
	}
	for _, r := range rows {
		widest = max(widest, len([]rune(r.who)))
	}
	for _, r := range rows {
		line := fmt.Sprintf("  %s  %s  %s  %s", r.role, pad(r.who, widest), p.state(r.state, pad(string(r.state), 9)), r.note)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// refusedText lists the callees that an add did not invite.
func refusedText(list []events.RefusedCallee) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "not invited: %s (%s)\n", cli.Plain(r.UserID), r.Code)
	}
	return b.String()
}

// row is one party of a call.
type row struct {
	role, who string
	state     events.PartyState
	note      string
}

func callerRow(c events.Caller) row {
	return row{role: "caller", who: personText(c.UserID, c.UserName), state: c.State, note: deviceText(c.DeviceID)}
}

func calleeRow(x events.Callee, now time.Time) row {
	r := row{role: "callee", who: personText(x.UserID, x.UserName), state: x.State}
	var notes []string
	if x.Pending() {
		notes = append(notes, ringsText(x.RingDeadline.Time().Sub(now)))
	} else if string(x.Reason) != string(x.State) {
		notes = append(notes, string(x.Reason))
	}
	if x.Attempt > 1 {
		notes = append(notes, fmt.Sprintf("attempt %d", x.Attempt))
	}
	r.note = strings.Join(present(append(notes, deviceText(x.DeviceID))...), ", ")
	return r
}

func callStateText(c events.Call) string {
	if c.State != events.CallStateEnded {
		return string(c.State)
	}
	return endText(c)
}

func endText(c events.Call) string {
	s := "ended: " + string(c.EndReason)
	if by := byText(c.EndedBy); by != "" {
		s += " by " + by
	}
	if c.MergedInto != "" {
		s += ", into " + c.MergedInto
	}
	return s
}

func typeText(t events.CallType) string {
	if t == events.CallTypeVideo {
		return "video"
	}
	return "voice"
}

func roomText(c events.Call) string {
	if c.RoomID == "" || c.RoomID == c.CallID {
		return ""
	}
	return "room " + cli.Plain(c.RoomID)
}

func deviceText(device string) string {
	if device == "" {
		return ""
	}
	return "on " + cli.Plain(device)
}

// personText is "Ann (ann)", or "ann" if the user has no name.
func personText(userID, name string) string {
	if name == "" {
		return cli.Plain(userID)
	}
	return fmt.Sprintf("%s (%s)", cli.Plain(name), cli.Plain(userID))
}

// byText is the source of a change: bob/phone-1, service desk, timer.
func byText(by events.By) string {
	switch by.Kind {
	case events.ByUser:
		if by.DeviceID == "" {
			return cli.Plain(by.UserID)
		}
		return cli.Plain(by.UserID) + "/" + cli.Plain(by.DeviceID)
	case events.ByService:
		return "service " + cli.Plain(by.Service)
	case events.ByTimer:
		return "timer"
	}
	return ""
}

// ringsText rounds up to whole seconds. The last 10 ms do not count, because deadlines are rounded up too.
func ringsText(left time.Duration) string {
	const little = 10 * time.Millisecond
	return fmt.Sprintf("rings %ds", max(0, left+time.Second-little)/time.Second)
}

// present returns the parts that are not empty.
func present(parts ...string) []string {
	var list []string
	for _, s := range parts {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// dataShown is the number of characters of custom data that are shown.
const dataShown = 60

// quotedData shows custom data on one line.
func quotedData(s string) string {
	if s == "" {
		return ""
	}
	r := []rune(s)
	if len(r) <= dataShown {
		return strconv.Quote(s)
	}
	return strconv.Quote(string(r[:dataShown])) + "…"
}

// pad fills up to a width in characters.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len([]rune(s))))
}

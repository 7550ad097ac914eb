package caller

import (
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

func TestTerminalOutputIsEscaped(t *testing.T) {
	t.Parallel()
	c := events.Call{
		CallID: "c1", State: events.CallStateRinging, CustomData: "\x1b]0;title\a",
		Caller:  events.Caller{UserID: "a\u009bb", UserName: "\x1b[2J", State: events.StateIn},
		Callees: []events.Callee{{UserID: "\u202e", DeviceID: "\x1b", State: events.StateDeclined}},
	}
	if text := callText(colors{}, c, time.Time{}); strings.ContainsAny(text, "\x1b\a\u009b\u202e") {
		t.Errorf("%q", text)
	}
	for _, data := range []string{"\x1b[2J", `{"event":"\u001b[2J","id":"\u001b","reason":"\u001b"}`} {
		if line := notificationLine(colors{}, "ringline.demo.user.=1B", []byte(data), time.Time{}); strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
		if line := transitionLine(colors{}, "ringline.demo.call.c1", []byte(data), time.Time{}); strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
	}
}

func TestQuotedData(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "hi": `"hi"`, "a\nb": `"a\nb"`, strings.Repeat("ü", 60): `"` + strings.Repeat("ü", 60) + `"`,
		strings.Repeat("ü", 61): `"` + strings.Repeat("ü", 60) + `"…`,
	} {
		if got := quotedData(in); got != want {
			t.Errorf("quotedData(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	on := colors{cli.Palette{On: true}}
	for _, c := range []struct {
		kind   events.Kind
		reason string
		want   string
	}{
		{events.IncomingCallReceived, "", on.Yellow("x")},
		{events.OutgoingCallRinging, "", on.Yellow("x")},
		{events.OutgoingCallAccepted, "", on.Green("x")},
		{events.IncomingCallTimeout, "timed_out", on.Red("x")},
		{events.IncomingCallDeclinedElsewhere, "busy", on.Red("x")},
		{events.ParticipantLeft, "left", on.Cyan("x")},
		{events.CallEnded, "completed", on.Cyan("x")},
		{"unknown", "", "x"},
	} {
		if got := on.notification(events.Notification{Event: c.kind, Reason: c.reason}, "x"); got != c.want {
			t.Errorf("%s is %q, want %q", c.kind, got, c.want)
		}
	}
	for _, s := range events.PartyStates() {
		if on.state(s, "x") == "x" || (colors{}).state(s, "x") != "x" {
			t.Errorf("%s has no color, or always one", s)
		}
	}
}

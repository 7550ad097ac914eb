//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/defects"
)

// hunt configures a trial that must find a planted defect. Zero fields keep the defaults of a trial.
type hunt struct {
	defect   string   // of package defects; empty: none
	by       []string // one of these checks must find the defect; none: no check may find anything
	nodes    int
	duration time.Duration
	every    time.Duration
	only     []kind
	points   []string
	scenes   []string
	rings    time.Duration
	users    int
	rate     float64
	alike    bool     // the checks run in a build with the same defect: only checks that do not rely on worker/call can find it
	tests    []string // arguments of go test: these packages must fail, and no trial runs
	churn    bool     // clients connect and disconnect, and there are no faults
}

// hunts lists the defects, each with the faults that expose it.
func hunts() []hunt {
	const long = 3*stoppedClock + 35*time.Second
	deaths := []kind{killAt}
	return []hunt{
		{only: deaths},
		{defect: "clock-ahead", only: []kind{killWorker, slowLink}}, // not a defect: no check may find it
		{defect: "ack-before-commit", by: []string{"lost", "prompt"}, only: deaths},
		{defect: "no-expected-seq", by: []string{"history"}, only: []kind{slowLink}},
		{defect: "no-memory", by: []string{"history", "same_answer"}, only: deaths},
		{defect: "no-deadline", by: []string{"deadlines"}, only: []kind{resetLink}},
		{defect: "notify-first", by: []string{"notified"}, only: deaths},
		{defect: "claims-unordered", by: []string{"prompt"}, only: []kind{slowLink}},
		{defect: "no-fence", by: []string{"two_calls"}, only: []kind{staleClaims}, duration: long, rings: 90 * time.Second}, // with shorter rings the delayed calls would not ring at all
		{defect: "no-fence-of-unknown", by: []string{"linearizable"}, only: deaths},
		{defect: "refusal-answered-first", by: []string{"same_answer"}, only: deaths, points: []string{"after answer"}, scenes: []string{"early"}, every: 400 * time.Millisecond},
		{defect: "stale-refusal", by: []string{"linearizable"}, only: []kind{slowRoute, cutRouteOne}, nodes: 3, every: 300 * time.Millisecond},
		{defect: "expire-trusts-due", by: []string{"history"}, only: deaths},
		{defect: "lines-not-released", by: []string{"lines"}, only: deaths},
		{defect: "repeat-does-nothing", by: []string{"notified", "lines"}, only: deaths},
		{defect: "gives-up", by: []string{"lost", "prompt"}, only: []kind{killAt, fillStore}},
		{defect: "participant-left-unsent", by: []string{"parting"}, alike: true, only: deaths, scenes: []string{"group"}},
		{defect: "participant-left-pending", by: []string{"parting"}, alike: true, only: deaths, scenes: []string{"group"}},
		{defect: "attempt-ignored", by: []string{"attempts"}, alike: true, only: deaths, scenes: []string{"group"}},
		{defect: "early-take-over", by: []string{"fences"}, alike: true, only: []kind{pauseAt}, points: []string{"after claim"}, scenes: []string{"answered", "group"}, users: 20},
		{defect: "events-capped", by: []string{"event_log"}, alike: true, only: deaths},
		{defect: "ring-remaining-wrong", by: []string{"frames"}, alike: true, only: deaths},
		{defect: "lease-always-true", by: []string{"same_answer", "linearizable"}, only: []kind{pauseAt, pauseWorker, pauseNode}, points: []string{"before answer", "before ack"}, scenes: []string{"early", "raced", "strangers"}, every: 300 * time.Millisecond, duration: time.Minute},
		{defect: "no-ack-extension", by: []string{"slowed"}, only: []kind{slowBroker}, rate: 5, duration: 40 * time.Second},
		{defect: "limits-every-tenth", by: []string{"admissions"}, only: deaths},
		{defect: "trusts-its-clock", by: []string{"frames"}, only: deaths},
		{defect: "api-drops-requests", by: []string{"lost"}, alike: true, only: deaths},
		{defect: "api-drops-requests", by: []string{"go test"}, tests: []string{"./worker/coordinator", "-run", "API"}},
		{defect: "expire-notifies-only-its-last", by: []string{"go test"}, tests: []string{"./worker/coordinator", "-run", "RedeliveredExpire"}},
		{defect: "leaver-keeps-line", by: []string{"go test"}, tests: []string{"./worker/coordinator", "-run", "Line"}},
		{defect: "timers-overflow", by: []string{"go test"}, tests: []string{"./worker/storage", "-run", "NoDeadlineIsLost"}},
		{defect: "snapshot-lists-left", by: []string{"go test"}, tests: []string{"./worker/store"}},
		{defect: "hangup-seen", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "hangup-remote", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "hangup-own", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "take-seen", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "leave-seen", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "cancel-seen", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "add-seen", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "add-partly", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "add-names", by: []string{"go test"}, tests: []string{"./worker/coordinator", "-run", "RefusedCallees"}},
		{defect: "drop-join", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "drop-phase", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "drop-fresh", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-id", by: []string{"go test"}, tests: []string{"./worker/coordinator", "-run", "RedeliveryWritesBothDeadlines"}},
		{defect: "reach-expire-id", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-handled", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-cut", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-rang", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-both", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-group", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-kept", by: []string{"go test"}, tests: []string{"./worker/call", "-run", "RulesOfTheModel"}},
		{defect: "reach-missed", by: []string{"go test"}, tests: []string{"./timeouts", "-run", "MissedDeadlines"}},
		{defect: "drop-until", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "WaitsBeforeItIsStored"}},
		{defect: "drop-turned-away", by: []string{"go test"}, tests: []string{"./worker/quota", "-run", "InvitationsLeaveAReserve"}},
		{defect: "presence-ages", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleAges"}},
		{defect: "presence-all", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleAll"}},
		{defect: "presence-birth", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleBirth"}},
		{defect: "presence-hello-start", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleHelloOfAnEdgeThatStarts"}},
		{defect: "presence-hello-again", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleHelloOfAnEdgeThatWorksAgain"}},
		{defect: "presence-loss", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleLoss"}},
		{defect: "presence-forget", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleForget$"}},
		{defect: "presence-forget-questions", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleForgetEndsQuestions"}},
		{defect: "presence-start", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleStart"}},
		{defect: "presence-pause", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RulePause"}},
		{defect: "presence-anew", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleAnew"}},
		{defect: "presence-buffer", by: []string{"go test"}, tests: []string{"./worker/stall", "-run", "TestStalled"}},
		{defect: "presence-wait", by: []string{"go test"}, tests: []string{"./worker/presence", "-run", "RuleWait"}},
		{defect: "presence-island", by: []string{"go test"}, tests: []string{"./worker/edge/session", "-run", "RuleIsland"}},
		{defect: "presence-cut", by: []string{"go test"}, tests: []string{"./worker/edge/session", "-run", "EdgeWithoutNATS"}},
		{churn: true},
		{defect: "snapshot-before-subscription", by: []string{"shown", "notified"}, churn: true},
	}
}

// trial returns the trial of the hunt.
func (h hunt) trial(t trial) trial {
	t.defects, t.nodes = h.planted(), max(h.nodes, 1)
	t.duration, t.every, t.calm = 25*time.Second, time.Second, 4*time.Second
	t.dir, t.points, t.scenes = t.path(h.name()), h.points, h.scenes
	t.rings, t.longest = 20*time.Second, 15*time.Second
	for _, k := range h.only {
		t.only = append(t.only, string(k))
	}
	if h.duration > 0 {
		t.duration = h.duration
	}
	if h.every > 0 {
		t.every = h.every
	}
	if h.rate > 0 {
		t.rate = h.rate
	}
	if h.users > 0 {
		t.users = h.users
	}
	if h.rings > 0 {
		t.rings, t.longest = h.rings, h.rings+30*time.Second
	}
	return t
}

// planted lists the planted defects.
func (h hunt) planted() []string {
	if h.defect == "" {
		return nil
	}
	return []string{h.defect}
}

func (h hunt) name() string {
	switch {
	case h.defect != "":
		return h.defect
	case h.churn:
		return "none-churn"
	}
	return "none"
}

// run runs the hunt. It returns the report and a summary of the work done.
func (h hunt) run(ctx context.Context, t trial) (r check.Report, summary string, err error) {
	switch {
	case h.churn:
		return h.runChurn(ctx, t)
	case len(h.tests) > 0:
		return h.runTests(ctx, t)
	}
	o, err := h.trial(t).run(ctx)
	if err != nil {
		return r, "", err
	}
	summary = fmt.Sprintf("%5d commands %3d faults", len(o.history.Sent), len(o.history.Faults))
	if h.alike {
		r, err = checkAlike(ctx, o)
		return r, summary, err
	}
	return check.Check(o.history, check.DefaultBounds()), summary, nil
}

// checkAlike checks the history with a program that contains the same defects.
func checkAlike(ctx context.Context, o *outcome) (r check.Report, err error) {
	path, err := o.save()
	if err != nil {
		return r, err
	}
	overlay, err := defects.Overlay(o.trial.source, o.trial.path("alike"), o.trial.defects...)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "-overlay", overlay, "./tests/faults", "check", "--json", path)
	cmd.Dir, cmd.Stderr = o.trial.source, os.Stderr
	found, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("check with the same defect: %w", err)
	}
	if err := json.Unmarshal(found, &r); err != nil {
		return r, fmt.Errorf("check with the same defect: %w", err)
	}
	return r, nil
}

// runTests runs the tests of the packages with the defect planted. Each failed test counts as a violation.
func (h hunt) runTests(ctx context.Context, t trial) (r check.Report, summary string, err error) {
	overlay, err := defects.Overlay(t.source, t.path(h.name()+"-tests"), h.planted()...)
	if err != nil {
		return r, "", err
	}
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-overlay", overlay}, h.tests)...)
	cmd.Dir = t.source
	out, err := cmd.CombinedOutput()
	failed := regexp.MustCompile(`--- FAIL: (\w+)`).FindAllStringSubmatch(string(out), -1)
	if err != nil && len(failed) == 0 {
		return r, "", fmt.Errorf("go test with the defect: %w\n%s", err, out)
	}
	for _, f := range failed {
		r.Violations = append(r.Violations, check.Violation{Check: "go test", Text: f[1] + " fails"})
	}
	return r, "go test " + strings.Join(h.tests, " "), nil
}

func (h hunt) runChurn(ctx context.Context, t trial) (r check.Report, summary string, err error) {
	x := defaultChurn()
	x.trial, x.clients, x.notifications, x.parallel = t, 200, 4000, 70
	x.trial.defects, x.trial.dir = h.planted(), t.path(h.name())
	found, err := x.run(ctx, io.Discard)
	return found.Report, fmt.Sprintf("%5d notifications", found.Notifications), err
}

// caught reports whether the expected checks found violations.
func (h hunt) caught(by []string) bool {
	if len(h.by) == 0 {
		return len(by) == 0
	}
	return slices.ContainsFunc(by, func(name string) bool { return slices.Contains(h.by, name) })
}

// hunted lists the names of all hunts.
func hunted() (names []string) {
	for _, h := range hunts() {
		names = append(names, h.name())
	}
	return names
}

// catch plants each defect in turn, after a run without any, and prints which checks found it. An expected
// check must find every defect, and no check may find anything in a run without defects.
func catch(ctx context.Context, w io.Writer, t trial, only []string) error {
	for _, name := range only {
		if !slices.Contains(hunted(), name) {
			return fmt.Errorf("--only: there is no %q; there are: %s", name, list(hunted()))
		}
	}
	var wrong []string
	count := 0
	for _, h := range hunts() {
		if len(only) > 0 && !slices.Contains(only, h.name()) {
			continue
		}
		begun := time.Now()
		report, summary, err := h.run(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name(), err)
		}
		by := caught(report)
		_, _ = fmt.Fprintf(w, "%-29s %4.0f s %s  caught by %s\n", h.name(), time.Since(begun).Seconds(), summary, strings.Join(by, ", "))
		if len(by) > 0 {
			_, _ = fmt.Fprintf(w, "    %s: %.300s\n", report.Violations[0].Check, report.Violations[0].Text)
		}
		count++
		if !h.caught(by) {
			wrong = append(wrong, h.name())
		}
	}
	_, _ = fmt.Fprintf(w, "%d of %d as expected\n", count-len(wrong), count)
	if len(wrong) > 0 {
		return fmt.Errorf("not found, or found without a defect: %s", strings.Join(wrong, ", "))
	}
	return nil
}

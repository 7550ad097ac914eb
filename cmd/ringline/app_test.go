package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestAppsLinesAndLists changes the settings of an app while dev runs, and reads the lines and the open calls.
func TestAppsLinesAndLists(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	says := func(args, want string) {
		t.Helper()
		r := d.run(t, strings.Fields(args)...)
		if r.code != exitOK || r.stderr != "" || r.stdout != want {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
	says("app list", "all apps have the default settings\n")
	says("app get demo", "demo  has the default settings\n")
	says("line bob", "not in a call\n")
	says("list", "no open calls\n")
	says("app set demo --ring-timeout 90s --capacity 2", "demo  capacity 2, ring timeout 90s\n")
	says("app set demo --max-callees 5 --max-duration 1h", "demo  capacity 2, ring timeout 90s, callees 5, duration 3600s\n")
	says("app set other --capacity 3", "other  capacity 3\n")
	says("app list", "demo  capacity 2, ring timeout 90s, callees 5, duration 3600s\nother  capacity 3\n")
	says("app set limits --commands-per-s 50 --bytes-per-s 1MiB --api-slots 7 --pair-invites-per-min 3 --ringing-per-caller 9 --service-call-prefix crm- "+
		"--reach 10s --lost-ringing 0s --lost-active 30s --lost-away 2m --end-when-alone now --room-id-from service",
		"limits  commands 50/s, api slots 7, invitations of a pair 3/min, ringing per caller 9, reach 10s, bytes 1MiB/s, lost while ringing 0s, "+
			"lost while active 30s, lost while away 120s, service call prefix crm-, end when alone now, room id from service\n")
	says("app set off --reach 10s", "off  reach 10s\n")
	says("app set off --reach 0s", "off  has the default settings\n")
	says("app remove off", "off  has the default settings\n")
	says("app remove limits", "limits  has the default settings\n")

	for n := 0; ; n++ { // takes effect within 1 s
		probe := fmt.Sprintf("probe%d", n)
		r := d.run(t, "invite", "bob", "--user", "ann", "--call", probe)
		d.run(t, "end", probe, "--service", "desk")
		if strings.Contains(r.stdout, "rings 90s") {
			break
		}
		if n == 100 {
			t.Fatalf("the ring timeout has no effect: %+v", r)
		}
	}
	d.run(t, "invite", "bob", "--user", "ann", "--call", "c1")
	if r := d.run(t, "invite", "bob", "--user", "eve", "--call", "c2"); r.code != exitOK || !strings.Contains(r.stdout, "c2  ringing") {
		t.Errorf("a second call on bob's line: %+v", r)
	}
	d.run(t, "accept", "c1", "--user", "bob")
	says("line bob", "c1\nc2\n")
	if r := d.run(t, "list", "--state", "active"); !strings.Contains(r.stdout, "c1  active") || strings.Contains(r.stdout, "c2") {
		t.Errorf("list --state active: %+v", r)
	}
	says("app remove demo", "demo  has the default settings\n")
	says("app list", "other  capacity 3\n")

	for args, want := range map[string]string{
		"app set demo":                     "nothing to set",
		"app set demo --capacity 0":        "--capacity: must be at least 1",
		"app set":                          "APP is missing",
		"line":                             "USER is missing",
		"app set demo --capacity 51":       "capacity: must be an integer from 1 to 50",
		"app set demo --ring-timeout 601s": "ring_timeout_s: must be an integer from 1 to 600",
		"app set demo --ring-timeout 1.5s": "--ring-timeout: must be whole seconds",
		"app set de.mo --capacity 1":       "APP: must be 1 to 64 characters",
		"list --state ended":               "state: must be ringing or active",
		"list --limit 0":                   "limit: must be an integer from 1 to 1000",
		"line " + strings.Repeat("u", 129): "user_id: must be 1 to 128 bytes",
		"app set demo --capacity nineteen": "invalid argument",

		"app set demo --commands-per-s 1000001":             "commands_per_s: must be an integer from 1 to 1000000",
		"app set demo --bytes-per-s 1KiB":                   "--bytes-per-s: must be from 64KiB to 1GiB",
		"app set demo --bytes-per-s many":                   "--bytes-per-s: must be from 64KiB to 1GiB",
		"app set demo --api-slots 0":                        "--api-slots: must be at least 1",
		"app set demo --pair-invites-per-min -1":            "--pair-invites-per-min: must be at least 1",
		"app set demo --ringing-per-caller 2501":            "ringing_per_caller: must be an integer from 1 to 2500",
		"app set demo --reach 4s":                           "reach_s: must be 0 or 5 to 60, got 4",
		"app set demo --reach 61s":                          "reach_s: must be an integer from 0 to 60",
		"app set demo --service-call-prefix a.b":            "service_call_prefix: must be 1 to 32 characters",
		"app set demo --end-when-alone later":               "end_when_alone: must be one of [last_ring now]",
		"app set demo --room-id-from= --api-slots 3":        "--room-id-from: must not be empty",
		"app set demo --service-call-prefix= --api-slots 3": "--service-call-prefix: must not be empty",
	} {
		if r := d.run(t, strings.Fields(args)...); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
}

package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// within limits the wait for something that takes some milliseconds on an idle machine.
const within = time.Minute

// A change of an app's settings is in force soon after the write. A limit that can't be read keeps its value.
func TestApps(t *testing.T) {
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	put(t, kv, "early", `{"capacity":3}`)
	apps := store.NewApps(s.JS, zerolog.Nop(), call.DefaultLimits(), 17*time.Hour, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- apps.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run gives %v", err)
		}
	})
	if got := limits(t, apps, "early").Capacity; got != 3 {
		t.Errorf("the settings from before: capacity %d", got)
	}
	if got := limits(t, apps, "other"); got != call.DefaultLimits() {
		t.Errorf("an app without an entry: %+v", got)
	}
	put(t, kv, "demo", `{"capacity":2,"ring_timeout_s":30,"max_callees":4,"max_duration_s":3600,"reach_s":10,"end_when_alone":"now","room_id_from":"service"}`)
	want := call.Limits{
		Capacity: 2, RingTimeout: 30 * time.Second, MaxCallees: 4, MaxDuration: time.Hour,
		RingingPerCaller: events.DefaultRingingPerCaller, BackendPrefix: events.DefaultServiceCallPrefix,
		Reach: 10 * time.Second, EndAlone: true, BackendRooms: true,
	}
	becomes(t, apps, want)
	for _, bad := range []string{
		`garbage`, `{"capacity":51,"ring_timeout_s":30,"max_callees":4,"max_duration_s":3600,"reach_s":10,"end_when_alone":"now","room_id_from":"service","of_a_later_version":{"a":1}}`,
	} {
		put(t, kv, "demo", bad)
	}
	put(t, kv, "after", `{"capacity":7}`)
	for limits(t, apps, "after").Capacity != 7 {
		time.Sleep(time.Millisecond)
	}
	becomes(t, apps, want)
	if err := kv.Delete(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	becomes(t, apps, call.DefaultLimits())
}

// Calls of an app never last longer than the lines that hold them.
func TestMaxDurationIsLimitedByLines(t *testing.T) {
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	put(t, kv, "demo", `{"max_duration_s":61200}`)
	apps := store.NewApps(s.JS, zerolog.Nop(), call.DefaultLimits(), time.Hour, nil)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if l, err := apps.Limits(ended, "demo"); err == nil {
		t.Errorf("before they are read the limits are %+v", l)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- apps.Run(ctx) }()
	if l := limits(t, apps, "demo"); l.MaxDuration != time.Hour {
		t.Errorf("the longest call is %v", l.MaxDuration)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func limits(t *testing.T, apps *store.Apps, app string) call.Limits {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	l, err := apps.Limits(ctx, app)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func put(t *testing.T, kv jetstream.KeyValue, app, value string) {
	t.Helper()
	if _, err := kv.Put(t.Context(), app, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func becomes(t *testing.T, apps *store.Apps, want call.Limits) {
	t.Helper()
	for deadline := time.Now().Add(within); limits(t, apps, "demo") != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the limits are %+v, want %+v", limits(t, apps, "demo"), want)
		}
	}
}

// Settings also reports whether an app has an entry. An origin is known as long as any app lists it.
func TestAppsSettingsAndOrigins(t *testing.T) {
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	const one, both = "https://one.example", "https://both.example"
	put(t, kv, "demo", `{"origins":["`+one+`","`+both+`"],"not_before":{"ann":"2026-11-24T10:00:00.000Z"}}`)
	apps := store.NewApps(s.JS, zerolog.Nop(), call.DefaultLimits(), 17*time.Hour, nil)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, known, err := apps.Settings(ended, "demo"); err == nil || known || apps.KnowsOrigin(one) {
		t.Errorf("before they are read demo is known: %t, %v", known, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- apps.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	settings := func(app string) (events.AppSettings, bool) {
		t.Helper()
		got, known, err := apps.Settings(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		return got, known
	}
	if got, known := settings("demo"); !known || len(got.Origins) != 2 || got.NotBefore["ann"].String() != "2026-11-24T10:00:00.000Z" {
		t.Errorf("demo: %v, %t", got, known)
	}
	if got, known := settings("other"); known || got.Origins != nil {
		t.Errorf("other: %v, %t", got, known)
	}
	origins := func(wantOne, wantBoth bool) {
		t.Helper()
		for deadline := time.Now().Add(within); apps.KnowsOrigin(one) != wantOne || apps.KnowsOrigin(both) != wantBoth; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("one is known: %t, both: %t", apps.KnowsOrigin(one), apps.KnowsOrigin(both))
			}
		}
	}
	origins(true, true)
	put(t, kv, "other", `{"origins":["`+both+`"]}`)
	// Wait here: the bucket keeps only the newest entry, so a late watch would never receive the one before.
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		if _, known := settings("other"); known {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("other is not known")
		}
	}
	put(t, kv, "other", `garbage`) // the last settings stay in force
	put(t, kv, "demo", `{"origins":["https://third.example"]}`)
	origins(false, true)
	if !apps.KnowsOrigin("https://third.example") || apps.KnowsOrigin("*") || apps.KnowsOrigin("") {
		t.Error("the third is not known, or an unlisted one is")
	}
	put(t, kv, "other", `{}`)
	origins(false, false)
	if _, known := settings("other"); !known {
		t.Error("an app with an empty entry is not known")
	}
	if err := kv.Delete(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		if _, known := settings("demo"); !known && !apps.KnowsOrigin("https://third.example") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("demo is known still")
		}
	}
}

// A token key that was removed is not in force. This holds even if the entry has a setting of a later version or a limit that
// can't be read, and both for a running worker and for a new one.
func TestAppsKeepRevocations(t *testing.T) {
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	key := func(kid string) string {
		return `{"kid":"` + kid + `","alg":"HS256","secret":"` + strings.Repeat("A", 43) + `"}`
	}
	running := runApps(t, s.JS)
	put(t, kv, "demo", `{"token_keys":[`+key("old")+`,`+key("new")+`]}`)
	keysBecome(t, running, "old new")
	put(t, kv, "demo", `{"capacity":0,"of_a_later_version":true,"token_keys":[`+key("new")+`],"not_before":{"ann":"2026-11-24T10:00:00.000Z"}}`)
	keysBecome(t, running, "new")
	fresh := runApps(t, s.JS)
	keysBecome(t, fresh, "new")
	for _, apps := range []*store.Apps{running, fresh} {
		if got, _, err := apps.Settings(t.Context(), "demo"); err != nil || got.NotBefore["ann"].String() != "2026-11-24T10:00:00.000Z" {
			t.Errorf("ann's tokens: %v, %v", got.NotBefore, err)
		}
	}
}

func runApps(t *testing.T, js jetstream.JetStream) *store.Apps {
	t.Helper()
	apps := store.NewApps(js, zerolog.Nop(), call.DefaultLimits(), 17*time.Hour, nil)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- apps.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return apps
}

func keysBecome(t *testing.T, apps *store.Apps, want string) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		got, _, err := apps.Settings(t.Context(), "demo")
		if err != nil {
			t.Fatal(err)
		}
		var kids []string
		for _, k := range got.TokenKeys {
			kids = append(kids, k.KID)
		}
		if strings.Join(kids, " ") == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the keys are %v, want %s", kids, want)
		}
	}
}

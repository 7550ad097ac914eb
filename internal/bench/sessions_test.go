package bench

import (
	"strings"
	"testing"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// A benchmark over sessions gives its app a key, but not to an app with existing settings.
func TestExistingAppSettingsAreKept(t *testing.T) {
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	revision, err := kv.Put(t.Context(), "prod", []byte(`{"capacity":3}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&bench{Options: Options{App: "prod"}}).makeApp(t.Context(), s.NC)
	if err == nil || !strings.Contains(err.Error(), "the app prod has settings") {
		t.Errorf("%v", err)
	}
	if e, err := kv.Get(t.Context(), "prod"); err != nil || e.Revision() != revision {
		t.Errorf("the settings are %s, %v", e.Value(), err)
	}
}

package store_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// Workers that create the secret at the same time all get the same one. Other apps have other secrets. A request for an app
// writes nothing to the bucket, because anyone can invent names of apps.
func TestSecretsAgree(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketSecrets)
	if err != nil {
		t.Fatal(err)
	}
	const workers, rounds = 8, 10
	for range rounds {
		var wg sync.WaitGroup
		got := make([][]byte, workers)
		for i := range workers {
			x := store.NewSecrets(s.NC, s.JS, zerolog.Nop())
			wg.Go(func() {
				var err error
				if got[i], err = x.CallIDs(t.Context(), "demo"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range got {
			if len(got[i]) < 32 || !bytes.Equal(got[i], got[0]) {
				t.Fatalf("worker %d has another secret, or none", i)
			}
		}
		for n := range 20 {
			other, err := store.NewSecrets(s.NC, s.JS, zerolog.Nop()).CallIDs(t.Context(), fmt.Sprintf("demo-%d", n))
			if err != nil || bytes.Equal(other, got[0]) {
				t.Errorf("another app has the same secret, %v", err)
			}
		}
		if keys, err := kv.Keys(t.Context()); err != nil || !slices.Equal(keys, []string{"call_ids"}) {
			t.Errorf("the bucket has %v, %v", keys, err)
		}
		if err := kv.Delete(t.Context(), "call_ids"); err != nil {
			t.Fatal(err)
		}
	}
}

// A change of the secret is in force soon after the write. A malformed secret gives an error that does not quote it.
func TestSecretsChange(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketSecrets)
	if err != nil {
		t.Fatal(err)
	}
	x := store.NewSecrets(s.NC, s.JS, zerolog.Nop())
	runSecrets(t, x)
	first, err := x.CallIDs(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := x.CallIDs(t.Context(), "demo"); err != nil || !bytes.Equal(again, first) {
		t.Errorf("asked again: another one, %v", err)
	}
	next := bytes.Repeat([]byte("x"), 32)
	mac := hmac.New(sha256.New, next)
	mac.Write([]byte("demo"))
	nextOfDemo := mac.Sum(nil)
	becomes := func(want []byte) {
		t.Helper()
		for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
			got, err := x.CallIDs(t.Context(), "demo")
			if err == nil && bytes.Equal(got, want) || err != nil && want == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the secret has not changed: %v", err)
			}
		}
	}
	putSecret(t, kv, base64.RawURLEncoding.EncodeToString(next))
	becomes(nextOfDemo)
	putSecret(t, kv, "canary")
	becomes(nil)
	if _, err := x.CallIDs(t.Context(), "demo"); err == nil || bytes.Contains([]byte(err.Error()), []byte("canary")) {
		t.Errorf("%v", err)
	}
	if err := kv.Delete(t.Context(), "call_ids"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		if got, err := x.CallIDs(t.Context(), "demo"); err == nil && !bytes.Equal(got, nextOfDemo) && !bytes.Equal(got, first) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a deleted secret is not recreated")
		}
	}
}

func putSecret(t *testing.T, kv jetstream.KeyValue, value string) {
	t.Helper()
	if _, err := kv.Put(t.Context(), "call_ids", []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func runSecrets(t *testing.T, x *store.Secrets) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
)

// Secrets knows the secrets of apps. They are derived from one secret in RINGLINE_SECRETS, so that an app needs no entry: everyone may
// make up names of apps. The first process that needs it makes it.
type Secrets struct {
	js  jetstream.JetStream
	msg reader
	log zerolog.Logger

	mu      sync.Mutex
	root    []byte // nil: it has to be read
	changes uint64 // how often root was set or forgotten by the watch
}

const (
	secretsPrefix = "$KV." + worker.BucketSecrets + "."
	callIDSecret  = "call_ids" // what the secrets are derived from that call ids are derived with; keys of an app would have its name and a dot
	secretSize    = 32
)

// NewSecrets gives the secrets behind this connection. Run makes it hear of changes.
func NewSecrets(nc *nats.Conn, js jetstream.JetStream, log zerolog.Logger) *Secrets {
	return &Secrets{js: js, msg: reader{nc: nc, stream: "KV_" + worker.BucketSecrets}, log: log}
}

// CallIDs gives the secret that the app's call ids are derived with: HMAC-SHA256 of the app under the secret in the bucket.
func (s *Secrets) CallIDs(ctx context.Context, app string) ([]byte, error) {
	root, err := s.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: secret of call ids: %w", err)
	}
	mac := hmac.New(sha256.New, root)
	_, _ = mac.Write([]byte(app)) // it never fails
	return mac.Sum(nil), nil
}

// current gives the secret in the bucket. Two workers that need it first agree: the one whose write comes second takes what the
// first has written, read from the leader.
func (s *Secrets) current(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	root, before := s.root, s.changes
	s.mu.Unlock()
	if root != nil {
		return root, nil
	}
	for {
		root, err := s.readOrMake(ctx)
		if errors.Is(err, ErrConflict) && ctx.Err() == nil {
			continue
		}
		if err == nil {
			s.keep(root, before)
		}
		return root, err
	}
}

// keep remembers what was read, unless the watch has heard of a change since: then what was read may be older.
func (s *Secrets) keep(root []byte, before uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == before {
		s.root = root
	}
}

// readOrMake gives ErrConflict where another process has made it meanwhile.
func (s *Secrets) readOrMake(ctx context.Context) ([]byte, error) {
	m, err := s.msg.atLeader(ctx, getRequest{LastBySubject: secretsPrefix + callIDSecret})
	switch {
	case err == nil && len(m.data) > 0:
		return parseSecret(m.data)
	case err != nil && !errors.Is(err, errNoMessage):
		return nil, err
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // it never fails
	msg := &nats.Msg{
		Subject: secretsPrefix + callIDSecret, Header: expecting(m.seq), Data: []byte(base64.RawURLEncoding.EncodeToString(secret)),
	}
	if _, err = worker.Write(ctx, s.msg.nc, msg); isConflict(err) {
		return nil, ErrConflict
	}
	return secret, err
}

// parseSecret never quotes what it reads.
func parseSecret(data []byte) ([]byte, error) {
	secret, err := base64.RawURLEncoding.DecodeString(string(data))
	if err != nil || len(secret) < secretSize {
		return nil, fmt.Errorf("must be base64url without padding of at least %d bytes", secretSize)
	}
	return secret, nil
}

// set is what the watch heard; with nil the next use reads it.
func (s *Secrets) set(root []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.root = root
	s.changes++
}

// Run hears of changes until ctx ends. After the connection was lost what is known is read again when it is needed.
func (s *Secrets) Run(ctx context.Context) error {
	return watch{
		js: s.js, log: s.log, bucket: worker.BucketSecrets, what: "the secrets", opts: []jetstream.WatchOpt{jetstream.UpdatesOnly()},
		begin: func() func(jetstream.KeyValueEntry) {
			s.set(nil)
			return s.changed
		},
	}.Run(ctx)
}

func (s *Secrets) changed(e jetstream.KeyValueEntry) {
	if e == nil || e.Key() != callIDSecret {
		return
	}
	root, err := parseSecret(e.Value())
	if err != nil { // or it was deleted; the next use reads it again, and says so
		root = nil
	}
	s.set(root)
}

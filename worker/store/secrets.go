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

	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/streams"
)

// Secrets holds the secrets of apps. They are derived from one secret in RINGLINE_SECRETS, so an app needs no entry: anyone can
// invent the name of an app. The first process that needs the secret creates it.
type Secrets struct {
	js  jetstream.JetStream
	msg reader
	log zerolog.Logger

	mu      sync.Mutex
	root    []byte // the secret in the bucket; nil: has to be read
	changes uint64 // number of times that the watch set or cleared root
}

const (
	secretsPrefix = "$KV." + streams.BucketSecrets + "."
	callIDSecret  = "call_ids" // the secret from which CallIDs derives; keys of a single app would contain its name and a dot
	secretSize    = 32
)

// NewSecrets returns the secrets behind this connection. Run watches them for changes.
func NewSecrets(nc *nats.Conn, js jetstream.JetStream, log zerolog.Logger) *Secrets {
	return &Secrets{js: js, msg: reader{nc: nc, stream: "KV_" + streams.BucketSecrets}, log: log}
}

// CallIDs returns the secret from which the app's call ids are derived: the HMAC-SHA256 of the app's name under the secret in
// the bucket.
func (s *Secrets) CallIDs(ctx context.Context, app string) ([]byte, error) {
	root, err := s.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: secret of call ids: %w", err)
	}
	mac := hmac.New(sha256.New, root)
	_, _ = mac.Write([]byte(app)) // it never fails
	return mac.Sum(nil), nil
}

// current returns the secret in the bucket. If two workers create it at the same time, the server refuses the second write.
// The second worker then reads the secret of the first from the leader.
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

// keep stores the secret that was read, unless the watch has received a change since: then the secret that was read may be
// older.
func (s *Secrets) keep(root []byte, before uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == before {
		s.root = root
	}
}

// readOrMake reads the secret from the leader, or creates it. It returns ErrConflict if another process has created it
// meanwhile.
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
	if _, err = broker.Write(ctx, s.msg.nc, msg); broker.IsConflict(err) {
		return nil, ErrConflict
	}
	return secret, err
}

// parseSecret decodes a secret. Its errors never quote the data.
func parseSecret(data []byte) ([]byte, error) {
	secret, err := base64.RawURLEncoding.DecodeString(string(data))
	if err != nil || len(secret) < secretSize {
		return nil, fmt.Errorf("must be base64url without padding of at least %d bytes", secretSize)
	}
	return secret, nil
}

// set stores the secret that the watch received. With nil, the next use reads the bucket.
func (s *Secrets) set(root []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.root = root
	s.changes++
}

// Run watches the secret until ctx ends. After a reconnect, the next use reads the bucket.
func (s *Secrets) Run(ctx context.Context) error {
	return watch{
		js: s.js, log: s.log, bucket: streams.BucketSecrets, what: "the secrets", opts: []jetstream.WatchOpt{jetstream.UpdatesOnly()},
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
	if err != nil { // malformed or deleted: the next use reads it again, and returns the error or creates a new secret
		root = nil
	}
	s.set(root)
}

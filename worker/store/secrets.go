package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
)

// Secrets knows the secrets of apps, each under a key <app>.<what> in RINGLINE_SECRETS. The first process that needs one makes it.
type Secrets struct {
	js  jetstream.JetStream
	msg reader
	log zerolog.Logger

	mu    sync.Mutex
	known map[string][]byte // by key
}

const (
	secretsPrefix = "$KV." + worker.BucketSecrets + "."
	callIDSecret  = ".call_ids" // what call ids are derived with
	secretSize    = 32
)

// NewSecrets gives the secrets behind this connection. Run makes it hear of changes.
func NewSecrets(nc *nats.Conn, js jetstream.JetStream, log zerolog.Logger) *Secrets {
	return &Secrets{js: js, msg: reader{nc: nc, stream: "KV_" + worker.BucketSecrets}, log: log, known: map[string][]byte{}}
}

// CallIDs gives the secret that the app's call ids are derived with. Two workers that need it first agree: the one whose
// write comes second takes what the first has written, read from the leader.
func (s *Secrets) CallIDs(ctx context.Context, app string) ([]byte, error) {
	key := app + callIDSecret
	s.mu.Lock()
	secret := s.known[key]
	s.mu.Unlock()
	if secret != nil {
		return secret, nil
	}
	for {
		secret, err := s.readOrMake(ctx, key)
		if errors.Is(err, ErrConflict) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("store: secret of app %s: %w", app, err)
		}
		s.keep(key, secret)
		return secret, nil
	}
}

// readOrMake gives ErrConflict where another process has made it meanwhile.
func (s *Secrets) readOrMake(ctx context.Context, key string) ([]byte, error) {
	m, err := s.msg.atLeader(ctx, getRequest{LastBySubject: secretsPrefix + key})
	switch {
	case err == nil && len(m.data) > 0:
		return parseSecret(m.data)
	case err != nil && !errors.Is(err, errNoMessage):
		return nil, err
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // it never fails
	msg := &nats.Msg{
		Subject: secretsPrefix + key, Header: expecting(m.seq), Data: []byte(base64.RawURLEncoding.EncodeToString(secret)),
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

// keep remembers a secret; nil forgets it.
func (s *Secrets) keep(key string, secret []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret == nil {
		delete(s.known, key)
		return
	}
	s.known[key] = secret
}

// Run hears of changes until ctx ends.
func (s *Secrets) Run(ctx context.Context) error {
	connected := s.js.Conn().StatusChanged(nats.CONNECTED)
	defer s.js.Conn().RemoveStatusListener(connected)
	var told worker.Repeated
	for ctx.Err() == nil {
		if err := s.watch(ctx, connected); err != nil && ctx.Err() == nil {
			if !told.Again(err) {
				s.log.Error().Err(err).Msg("can't watch the secrets, trying again")
			}
			select {
			case <-ctx.Done():
			case <-time.After(rewatchAfter):
			}
		}
	}
	return nil
}

// watch follows changes until ctx ends or the connection comes back; both are no error. What is known then is forgotten: it
// is read again when it is needed.
func (s *Secrets) watch(ctx context.Context, connected <-chan nats.Status) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	kv, err := s.js.KeyValue(ctx, worker.BucketSecrets)
	if err != nil {
		return fmt.Errorf("store: open the secrets: %w", err)
	}
	w, err := kv.WatchAll(ctx, jetstream.UpdatesOnly())
	if err != nil {
		return fmt.Errorf("store: watch the secrets: %w", err)
	}
	defer func() { _ = w.Stop() }()
	s.mu.Lock()
	clear(s.known)
	s.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-connected:
			return nil
		case e, open := <-w.Updates():
			switch {
			case !open:
				return errors.New("store: the watch of the secrets ended")
			case e == nil:
			default:
				s.changed(e)
			}
		}
	}
}

func (s *Secrets) changed(e jetstream.KeyValueEntry) {
	if !strings.HasSuffix(e.Key(), callIDSecret) {
		return
	}
	secret, err := parseSecret(e.Value())
	if err != nil { // or it was deleted; the next use reads it again, and says so
		secret = nil
	}
	s.keep(e.Key(), secret)
}

package settings

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Credentials returns the NATS options for credentials, TLS and the CA, and the problems of the files that they name.
func (s Settings) Credentials() (options []nats.Option, problems []Problem) {
	refuse := func(format string, names ...string) {
		args := make([]any, len(names))
		for i, name := range names {
			args[i] = name
		}
		problems = append(problems, Problem{names, fmt.Sprintf(format, args...)})
	}
	use := func(name string, option nats.Option, err error) {
		if err == nil {
			err = option(&nats.Options{}) // reads the file
		}
		if err != nil {
			problems = append(problems, Problem{[]string{name}, fmt.Sprintf("%s: %v", name, err)})
			return
		}
		options = append(options, option)
	}
	switch {
	case s.NatsCreds != "" && s.NatsNkey != "":
		refuse("%s and %s exclude each other: set one of them", "RINGLINE_NATS_CREDS", "RINGLINE_NATS_NKEY")
	case s.NatsCreds != "":
		use("RINGLINE_NATS_CREDS", nats.UserCredentials(s.NatsCreds), checkCreds(s.NatsCreds))
	case s.NatsNkey != "":
		option, err := nats.NkeyOptionFromSeed(s.NatsNkey)
		use("RINGLINE_NATS_NKEY", option, err)
	}
	if s.NatsTLS.CA != "" {
		use("RINGLINE_NATS_TLS_CA", nats.RootCAs(s.NatsTLS.CA), nil)
	}
	switch {
	case s.NatsTLS.Cert != "" && s.NatsTLS.Key != "":
		use("RINGLINE_NATS_TLS_CERT and _KEY", nats.ClientCert(s.NatsTLS.Cert, s.NatsTLS.Key), nil)
	case s.NatsTLS.Cert != "":
		refuse("%s needs %s", "RINGLINE_NATS_TLS_CERT", "RINGLINE_NATS_TLS_KEY")
	case s.NatsTLS.Key != "":
		refuse("%s needs %s", "RINGLINE_NATS_TLS_KEY", "RINGLINE_NATS_TLS_CERT")
	}
	return options, problems
}

// checkCreds checks a creds file. Without it, nats.go reads the file only when a server asks for it, and then reports a
// missing server.
func checkCreds(file string) error {
	b, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	for _, part := range []string{"BEGIN NATS USER JWT", "BEGIN USER NKEY SEED"} {
		if !bytes.Contains(b, []byte(part)) {
			return fmt.Errorf("%s has no %q", file, part)
		}
	}
	text, err := nkeys.ParseDecoratedJWT(b)
	if err != nil {
		return fmt.Errorf("the user JWT in %s can't be read: %w", file, err)
	}
	user, err := jwt.DecodeUserClaims(text)
	if err != nil {
		return fmt.Errorf("the user JWT in %s can't be read: %w", file, err)
	}
	seed, err := nkeys.ParseDecoratedUserNKey(b)
	if err != nil {
		return fmt.Errorf("the seed in %s can't be read: %w", file, err)
	}
	defer seed.Wipe()
	expires := time.Unix(user.Expires, 0).UTC()
	switch public, err := seed.PublicKey(); {
	case err != nil:
		return fmt.Errorf("the seed in %s can't be read: %w", file, err)
	case public != user.Subject:
		return fmt.Errorf("the seed in %s belongs to %s, but its user JWT belongs to %s", file, public, user.Subject)
	case user.Expires > 0 && expires.Before(time.Now()):
		return fmt.Errorf("the user JWT in %s expired at %s", file, expires.Format(time.RFC3339))
	}
	return nil
}

// CredentialsSource names the setting that holds the credentials.
func (s Settings) CredentialsSource() string {
	switch {
	case s.NatsCreds != "":
		return "RINGLINE_NATS_CREDS, " + s.NatsCreds
	case s.NatsNkey != "":
		return "RINGLINE_NATS_NKEY, " + s.NatsNkey
	}
	return "RINGLINE_NATS_CREDS, RINGLINE_NATS_NKEY or the user in RINGLINE_NATS_URL"
}

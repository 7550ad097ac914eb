package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// NewToken is the command that makes and inspects the tokens that open sessions.
func NewToken() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", GroupID: cli.GroupCall, Short: "Mint or inspect a token",
		Long: "Mints a token for a user, as an app's backend does, or inspects a token.",
		Args: cli.NoSubcommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTokenMint(), newTokenInspect())
	return cmd
}

func addAudienceFlag(cmd *cobra.Command) {
	cmd.Flags().String("audience", "", "its audience, aud (default $RINGLINE_EDGE_AUDIENCE, else ringline)")
}

// audience is the value that an edge with these settings expects, unless the command line overrides it.
func audience(t *natsconn.Target, cmd *cobra.Command) string {
	if f := cmd.Flags().Lookup("audience"); f.Changed {
		return f.Value.String()
	}
	return t.Settings.Edge.Audience
}

// minting is the command line of `ringline token mint`.
type minting struct {
	natsconn.Target
	claims   token.Claims
	ttl      time.Duration
	key, kid string
}

func newTokenMint() *cobra.Command {
	var m minting
	cmd := &cobra.Command{
		Use: "mint", Short: "Mint a token for a user and print only the token",
		Long: "Mints a token and prints only the token. It signs with the app's newest secret (HS256) from RINGLINE_APPS,\n" +
			"or with a private key from a file. The bearer of the token can act as that user.",
		Example: "  ringline token mint --app demo --user ann --name Ann", Args: m.wantsUser,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := m.Read(cmd); err != nil {
				return err
			}
			raw, err := m.mint(cmd.Context(), audience(&m.Target, cmd), time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), raw)
			return err
		},
	}
	m.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&m.claims.UserID, "user", "", "the user")
	f.StringVar(&m.claims.UserName, "name", "", "the display name")
	f.StringVar(&m.claims.Avatar, "avatar", "", "https URL of the user's picture")
	f.StringVar(&m.claims.Device, "device", "", "fix the user's device id, except the part of the tab")
	f.DurationVar(&m.ttl, "ttl", time.Hour, "how long the token is valid")
	f.StringVar(&m.key, "key", "", "file with a private key (Ed25519 or P-256, PEM of PKCS #8) to sign with, instead of the app's newest secret")
	f.StringVar(&m.kid, "kid", "", "name of the key")
	addAudienceFlag(cmd)
	return cmd
}

func (m *minting) wantsUser(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 0:
		return cli.NoArguments(cmd, args)
	case m.claims.UserID == "":
		return errors.New("--user is missing: the user of the token")
	case m.ttl < time.Second || m.ttl%time.Second != 0:
		return fmt.Errorf("--ttl: must be whole seconds, at least 1s, got %v", m.ttl)
	}
	return nil
}

func (m *minting) mint(ctx context.Context, audience string, now time.Time) (string, error) {
	key, err := m.signingKey(ctx)
	if err != nil {
		return "", err
	}
	c := m.claims
	c.App, c.IssuedAt, c.Expires = m.App, now, now.Add(m.ttl)
	return token.Mint(key, c, audience)
}

// signingKey reads the key file if one is given, else the app's newest secret or the one named by kid.
func (m *minting) signingKey(ctx context.Context) (token.SigningKey, error) {
	if m.key != "" {
		text, err := readSmall(m.key)
		if err != nil {
			return token.SigningKey{}, err
		}
		return token.PrivateKey(m.kid, text)
	}
	kv, done, err := openApps(ctx, &m.Target)
	if err != nil {
		return token.SigningKey{}, err
	}
	defer done()
	s, _, err := apps{kv: kv}.read(ctx, m.App)
	if err != nil {
		return token.SigningKey{}, err
	}
	var secrets []events.TokenKey
	for _, k := range s.TokenKeys {
		if k.Alg == events.AlgHS256 && (m.kid == "" || k.KID == m.kid) {
			secrets = append(secrets, k)
		}
	}
	if len(secrets) == 0 {
		return token.SigningKey{}, fmt.Errorf("app %s has no %s; `ringline app key add %[1]s --hs256` creates one, or pass a private key with --key",
			m.App, strings.TrimSpace("secret "+m.kid))
	}
	return token.Secret(secrets[len(secrets)-1])
}

package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// newAppKey manages the keys that verify the tokens of an app's users.
func newAppKey() *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", Short: "Add, list or remove the keys that verify an app's tokens",
		Long: "Adds, lists or removes the keys that verify the tokens of an app's users: secrets that the app's backend\n" +
			"shares (HS256), or public keys (EdDSA, ES256), whose private keys only the backend has.",
		Args: cli.NoSubcommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		appCommand("add APP", "Add a new secret or a public key", "app key add demo --hs256", oneKind, addKey, addKeyFlags),
		appCommand("list APP", "Show an app's keys, without their secrets", "app key list demo", cli.Arguments("APP"), listKeys, nil),
		appCommand("remove APP KID", "Remove a key: its tokens are no longer accepted", "app key remove demo k1",
			cli.Arguments("APP", "KID"), removeKey, nil),
	)
	return cmd
}

func addKeyFlags(f *pflag.FlagSet) {
	f.Bool("hs256", false, "generate a secret of 32 random bytes, and show it once")
	f.String("public-key", "", "file with an Ed25519 or P-256 public key as PEM (PKIX)")
	f.String("kid", "", "name of the key, as in the header of tokens (default k1, k2, …)")
}

// oneKind accepts one app and exactly one of the flags for the kind of key.
func oneKind(cmd *cobra.Command, args []string) error {
	if err := cli.Arguments("APP")(cmd, args); err != nil {
		return err
	}
	if !cmd.Flags().Changed("hs256") && !cmd.Flags().Changed("public-key") {
		return errors.New("--hs256 or --public-key is missing: the kind of key")
	}
	return cli.AtMostOne(cmd, "hs256", "public-key")
}

func addKey(ctx context.Context, a apps, args []string) error {
	key, err := a.newKey()
	if err != nil {
		return err
	}
	_, err = a.change(ctx, args[0], func(s events.AppSettings) (events.AppSettings, error) {
		if key.KID == "" {
			key.KID = nextKID(s)
		}
		s.TokenKeys = append(s.TokenKeys, key)
		return s, nil
	})
	if err != nil {
		return err
	}
	if err := a.print(args[0], "key "+keyText(key)); err != nil || key.Secret == "" {
		return err
	}
	_, err = fmt.Fprintf(a.out, "secret  %s\n\n"+
		"The secret is not shown again. A backend decodes it from base64url and signs tokens with these 32 bytes,\n"+
		"HS256 and \"kid\": %q in the header; docs/tokens.md shows how. Store it where only the backend can read it.\n", key.Secret, key.KID)
	return err
}

// newKey creates a key from the flags. Its kid may be empty.
func (a apps) newKey() (events.TokenKey, error) {
	kid, _ := a.flags.GetString("kid")
	if a.flags.Changed("kid") {
		if err := events.CheckToken("--kid", kid); err != nil {
			return events.TokenKey{}, cli.WithoutCode(err)
		}
	}
	path, _ := a.flags.GetString("public-key")
	if path == "" {
		return token.Generate(kid), nil
	}
	text, err := readSmall(path)
	if err != nil {
		return events.TokenKey{}, err
	}
	pem := strings.TrimSpace(string(text))
	alg, _, err := events.ParsePublicKey(pem)
	if err != nil {
		return events.TokenKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return events.TokenKey{KID: kid, Alg: alg, PublicKey: pem}, nil
}

// readSmall reads a key file, at most 16 KiB of it.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, 16<<10))
}

// nextKID returns k and the highest number in use plus 1.
func nextKID(s events.AppSettings) string {
	last := 0
	for _, k := range s.TokenKeys {
		if n, err := strconv.Atoi(strings.TrimPrefix(k.KID, "k")); err == nil {
			last = max(last, n)
		}
	}
	return fmt.Sprintf("k%d", last+1)
}

func kids(s events.AppSettings) (list []string) {
	for _, k := range s.TokenKeys {
		list = append(list, k.KID)
	}
	return list
}

func keyText(k events.TokenKey) string {
	return fmt.Sprintf("%s  %s  fingerprint %s", k.KID, k.Alg, token.Fingerprint(k))
}

func listKeys(ctx context.Context, a apps, args []string) error {
	s, _, err := a.read(ctx, args[0])
	if err != nil {
		return err
	}
	if len(s.TokenKeys) == 0 {
		return a.print(args[0], "has no token keys, so its users can't open sessions")
	}
	for _, k := range s.TokenKeys {
		if _, err := fmt.Fprintln(a.out, keyText(k)); err != nil {
			return err
		}
	}
	return nil
}

func removeKey(ctx context.Context, a apps, args []string) error {
	_, err := a.change(ctx, args[0], func(s events.AppSettings) (events.AppSettings, error) {
		i := slices.Index(kids(s), args[1])
		if i < 0 {
			return s, fmt.Errorf("app %s has no key %s; it has: %s", args[0], cli.ShellWord(args[1]), strings.Join(kids(s), " "))
		}
		s.TokenKeys = slices.Delete(s.TokenKeys, i, i+1)
		return s, nil
	})
	if err != nil {
		return err
	}
	return a.print(args[0], fmt.Sprintf("key %s is removed: its tokens no longer open sessions", args[1]))
}

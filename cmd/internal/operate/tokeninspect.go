package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// inspection is the command line of `ringline token inspect`.
type inspection struct {
	natsconn.Target
	offline bool
}

func newTokenInspect() *cobra.Command {
	var i inspection
	cmd := &cobra.Command{
		Use: "inspect [TOKEN|-]", Short: "Show the claims of a token, and whether it would be accepted",
		Long: "Shows the claims of a token, and whether it would be accepted or why not. Without an argument, or with -, it reads the\n" +
			"token from its input, which keeps it out of the shell's history.",
		Example: "  ringline token mint --user ann | ringline token inspect",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("unexpected argument")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := i.Read(cmd); err != nil {
				return err
			}
			raw, err := given(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			u, err := token.Read(raw)
			if err != nil {
				return err
			}
			now := time.Now()
			verdict := i.verdict(cmd.Context(), raw, u.Claims.App, audience(&i.Target, cmd), now)
			return showToken(cmd.OutOrStdout(), u, verdict, now)
		},
	}
	settings.AddNATSFlag(cmd)
	cmd.Flags().BoolVar(&i.offline, "offline", false, "do not ask NATS for the app's keys: the signature is not checked")
	addAudienceFlag(cmd)
	return cmd
}

// given returns the token from the command line or from standard input.
func given(in io.Reader, args []string) (string, error) {
	if len(args) == 1 && args[0] != "-" {
		return strings.TrimSpace(args[0]), nil
	}
	text, err := io.ReadAll(io.LimitReader(in, 2*token.MaxToken))
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// verdict reports whether the token would be accepted, or why not, as far as this process can tell.
func (i *inspection) verdict(ctx context.Context, raw, app, audience string, now time.Time) string {
	if i.offline {
		return uncheckedText("--offline")
	}
	kv, done, err := openApps(ctx, &i.Target)
	if err != nil {
		return uncheckedText(err.Error())
	}
	defer done()
	s, revision, err := apps{kv: kv}.read(ctx, app)
	switch {
	case err != nil:
		return uncheckedText(err.Error())
	case revision == 0:
		return uncheckedText(fmt.Sprintf("app %s is not in RINGLINE_APPS", app))
	}
	v := token.New(func(context.Context, string) (events.AppSettings, bool, error) { return s, true, nil }, audience)
	if _, err := v.Verify(ctx, raw, now); err != nil {
		return fmt.Sprintf("no, %v", err)
	}
	return "yes"
}

func uncheckedText(why string) string { return "unknown, the signature is not checked: " + why }

func showToken(out io.Writer, u token.Unverified, verdict string, now time.Time) error {
	tabs := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	c := u.Claims
	for _, row := range []struct{ name, value string }{
		{"app", c.App},
		{"user", cli.Plain(c.UserID)},
		{"name", shown(c.UserName)},
		{"avatar", shown(c.Avatar)},
		{"device", shown(c.Device)},
		{"audience", plainList(u.Audience)},
		{"issued", timeText(c.IssuedAt, now)},
		{"not before", timeText(u.From, now)},
		{"expires", timeText(c.Expires, now)},
		{"alg", cli.Plain(u.Alg)},
		{"kid", shown(u.KID)},
		{"accepted", verdict},
	} {
		if row.value != "" {
			_, _ = fmt.Fprintf(tabs, "%s\t%s\n", row.name, row.value)
		}
	}
	return tabs.Flush()
}

// CredentialsSource is plain, except that an empty string stays empty.
func shown(s string) string {
	if s == "" {
		return ""
	}
	return cli.Plain(s)
}

func plainList(list []string) string {
	var words []string
	for _, s := range list {
		words = append(words, cli.Plain(s))
	}
	return strings.Join(words, " ")
}

// timeText is a time in the local time zone, with its distance from now.
func timeText(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST") + ", " + relative(t.Sub(now))
}

// relative is a distance in time, in its two largest units.
func relative(d time.Duration) string {
	if d < 0 {
		return spanText(-d) + " ago"
	}
	return "in " + spanText(d)
}

func spanText(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d %d h", s/86400, s/3600%24)
}

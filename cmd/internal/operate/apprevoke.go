package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

func addRevokeFlags(f *pflag.FlagSet) {
	f.String("before", "", "revoke tokens issued before this time, such as 2026-11-24T10:00:00Z (default now)")
	f.Bool("undo", false, "remove the revocation")
}

// revokeUser sets the earliest issue time of a user's valid tokens.
func revokeUser(ctx context.Context, a apps, args []string) error {
	app, user := args[0], args[1]
	if undo, _ := a.flags.GetBool("undo"); undo {
		return a.forgive(ctx, app, user)
	}
	before, err := a.before(time.Now())
	if err != nil {
		return err
	}
	_, err = a.change(ctx, app, func(s events.AppSettings) (events.AppSettings, error) {
		if old, there := s.NotBefore[user]; there && before < old {
			return s, fmt.Errorf("the tokens of %s are already revoked before %v, which is later; --undo removes that revocation", cli.Plain(user), old)
		}
		if s.NotBefore == nil {
			s.NotBefore = map[string]events.Time{}
		}
		s.NotBefore[user] = before
		return s, nil
	})
	if err != nil {
		return err
	}
	return a.print(app, fmt.Sprintf("tokens of %s issued before %v are revoked: sessions that used one\n"+
		"are closed at their next check, and a new session needs a newer token. Log %[1]s out in your backend\n"+
		"too, or it issues the next token.", cli.Plain(user), before))
}

// before returns the time from the command line, or now.
func (a apps) before(now time.Time) (t events.Time, err error) {
	if !a.flags.Changed("before") {
		return events.TimeOf(now), nil
	}
	text, _ := a.flags.GetString("before")
	if t.UnmarshalText([]byte(text)) != nil {
		return 0, fmt.Errorf("--before: must be a time such as 2026-11-24T10:00:00Z, got %q", text)
	}
	return t, nil
}

func (a apps) forgive(ctx context.Context, app, user string) error {
	if a.flags.Changed("before") {
		return errors.New("--before and --undo exclude each other")
	}
	_, err := a.change(ctx, app, func(s events.AppSettings) (events.AppSettings, error) {
		if _, there := s.NotBefore[user]; !there {
			return s, fmt.Errorf("no tokens of %s are revoked", cli.Plain(user))
		}
		delete(s.NotBefore, user)
		return s, nil
	})
	if err != nil {
		return err
	}
	return a.print(app, fmt.Sprintf("no tokens of %s are revoked now", cli.Plain(user)))
}

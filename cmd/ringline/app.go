package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
)

// newApp is what an operator says of an app: what it changes of the defaults, in the bucket RINGLINE_APPS.
func newApp() *cobra.Command {
	cmd := &cobra.Command{
		Use: "app", GroupID: groupCall, Short: "Show or change what an app changes of the defaults",
		Long: "Shows or changes what an app changes of the defaults. A change is in force within a second,\n" +
			"for invitations that come after it; no restart is needed.",
		Args: noSubcommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		appCommand("set APP", "Change some of an app's settings, and keep the others",
			"app set demo --capacity 2 --ring-timeout 30s", oneArgument("APP"), setApp, addAppFlags),
		appCommand("get APP", "Show an app's settings", "app get demo", oneArgument("APP"), getApp, nil),
		appCommand("list", "Show the settings of all apps", "app list", noArguments, listApps, nil),
		appCommand("remove APP", "Give an app the defaults again", "app remove demo", oneArgument("APP"), removeApp, nil),
	)
	return cmd
}

// noSubcommand is for what has subcommands: whatever is no name of one is a typo.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("unknown command %q, %s has %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
}

func oneArgument(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s is missing", name)
		case len(args) > 1:
			return fmt.Errorf("%q is one argument too many", args[1])
		}
		return nil
	}
}

// apps is one look at the bucket.
type apps struct {
	kv    jetstream.KeyValue
	out   io.Writer
	flags *pflag.FlagSet
}

func appCommand(
	use, short, example string, args cobra.PositionalArgs,
	do func(context.Context, apps, []string) error, addFlags func(*pflag.FlagSet),
) *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: use, Short: short, Example: "  ringline " + example, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.read(cmd); err != nil {
				return err
			}
			if len(args) > 0 {
				if err := events.CheckToken("APP", args[0]); err != nil {
					return errors.New(err.Message)
				}
			}
			conn, err := c.connect("app")
			if err != nil {
				return err
			}
			defer conn.Close()
			js, err := jetstream.New(conn.Conn)
			if err != nil {
				return fmt.Errorf("JetStream: %w", err)
			}
			kv, err := js.KeyValue(cmd.Context(), worker.BucketApps)
			if err != nil {
				return fmt.Errorf("open the apps at %s: %w", withoutSecrets(c.natsURL), err)
			}
			return do(cmd.Context(), apps{kv: kv, out: cmd.OutOrStdout(), flags: cmd.Flags()}, args)
		},
	}
	addNATSFlag(cmd)
	c.app = "demo"
	if addFlags != nil {
		addFlags(cmd.Flags())
	}
	return cmd
}

func addAppFlags(f *pflag.FlagSet) {
	f.Int("capacity", 0, fmt.Sprintf("how many calls a user's line holds, 1 to %d", events.MaxCapacity))
	f.Duration("ring-timeout", 0, fmt.Sprintf("how long it rings where an invitation does not say, 1s to %ds", events.MaxRingTimeoutS))
	f.Int("max-callees", 0, fmt.Sprintf("callees of a call, all in all, 1 to %d", events.MaxCallees))
	f.Duration("max-duration", 0, "the longest call, 1s to 17h")
}

// apply changes what was given on the command line.
func (a apps) apply(s events.AppSettings) (events.AppSettings, error) {
	changed := false
	var bad error
	a.flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "capacity", "max-callees":
			n, _ := a.flags.GetInt(f.Name)
			if n < 1 { // 0 would be left out, which means the default
				bad = fmt.Errorf("--%s: must be at least 1, got %d", f.Name, n)
			}
			if f.Name == "capacity" {
				s.Capacity = n
			} else {
				s.MaxCallees = n
			}
		case "ring-timeout", "max-duration":
			d, _ := a.flags.GetDuration(f.Name)
			if d%time.Second != 0 || d <= 0 {
				bad = fmt.Errorf("--%s: must be whole seconds, at least 1s, got %v", f.Name, d)
			}
			if f.Name == "ring-timeout" {
				s.RingTimeoutS = int(d.Seconds())
			} else {
				s.MaxDurationS = int(d.Seconds())
			}
		default:
			return
		}
		changed = true
	})
	if !changed {
		return s, errors.New("nothing to set: give --capacity, --ring-timeout, --max-callees or --max-duration")
	}
	return s, bad
}

func setApp(ctx context.Context, a apps, args []string) error {
	var old events.AppSettings
	var revision uint64
	e, err := a.kv.Get(ctx, args[0])
	switch {
	case err == nil:
		revision = e.Revision()
		if old, err = events.ReadAppSettings(e.Value()); err != nil {
			return fmt.Errorf("what stands there now can't be read, `ringline app remove %s` first: %w", args[0], err)
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("read app %s: %w", args[0], err)
	}
	s, err := a.apply(old)
	if err != nil {
		return err
	}
	value, err := events.Encode(s)
	if err != nil {
		return err
	}
	if _, err := events.ReadAppSettings(value); err != nil {
		return err
	}
	if revision == 0 {
		_, err = a.kv.Create(ctx, args[0], value)
	} else {
		_, err = a.kv.Update(ctx, args[0], value, revision)
	}
	if err != nil {
		return fmt.Errorf("write app %s, which somebody else may have changed just now: %w", args[0], err)
	}
	return a.show(args[0], value)
}

func getApp(ctx context.Context, a apps, args []string) error {
	e, err := a.kv.Get(ctx, args[0])
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return a.print(args[0], "changes nothing of the defaults")
	}
	if err != nil {
		return fmt.Errorf("read app %s: %w", args[0], err)
	}
	return a.show(args[0], e.Value())
}

func listApps(ctx context.Context, a apps, _ []string) error {
	keys, err := a.kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		_, err := fmt.Fprintln(a.out, "no app changes anything of the defaults")
		return err
	}
	if err != nil {
		return fmt.Errorf("list the apps: %w", err)
	}
	slices.Sort(keys)
	for _, app := range keys {
		if err := getApp(ctx, a, []string{app}); err != nil {
			return err
		}
	}
	return nil
}

func removeApp(ctx context.Context, a apps, args []string) error {
	if err := a.kv.Delete(ctx, args[0]); err != nil {
		return fmt.Errorf("remove app %s: %w", args[0], err)
	}
	return a.print(args[0], "changes nothing of the defaults")
}

func (a apps) show(app string, value []byte) error {
	s, err := events.ReadAppSettings(value)
	if err != nil {
		return a.print(app, fmt.Sprintf("can't be read, and is not in force: %v", err))
	}
	var list []string
	for _, f := range []struct {
		name  string
		value int
		unit  string
	}{
		{"capacity", s.Capacity, ""},
		{"ring timeout", s.RingTimeoutS, "s"},
		{"callees", s.MaxCallees, ""},
		{"duration", s.MaxDurationS, "s"},
	} {
		if f.value > 0 {
			list = append(list, fmt.Sprintf("%s %d%s", f.name, f.value, f.unit))
		}
	}
	return a.print(app, strings.Join(list, ", "))
}

func (a apps) print(app, text string) error {
	_, err := fmt.Fprintf(a.out, "%s  %s\n", app, text)
	return err
}

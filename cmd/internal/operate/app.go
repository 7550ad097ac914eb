package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// NewApp is the command that shows and edits the settings of an app in the bucket RINGLINE_APPS.
func NewApp() *cobra.Command {
	cmd := &cobra.Command{
		Use: "app", GroupID: cli.GroupCall, Short: "Show or change an app's settings: limits, token keys, origins",
		Long: "Shows or changes the settings of an app that differ from the defaults, and those for client sessions. A change\n" +
			"takes effect within a second, without a restart. Limits apply to later invitations.",
		Args: cli.NoSubcommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		appCommand("set APP", "Change some of an app's settings and keep the others",
			"app set demo --capacity 2 --ring-timeout 30s", cli.Arguments("APP"), setApp, addAppFlags),
		appCommand("get APP", "Show an app's settings", "app get demo", cli.Arguments("APP"), getApp, nil),
		appCommand("list", "Show the settings of all apps", "app list", cli.NoArguments, listApps, nil),
		appCommand("remove APP", "Reset an app to the defaults and remove its token keys", "app remove demo",
			cli.Arguments("APP"), removeApp, nil),
		newAppKey(),
		appCommand("revoke APP USER", "Revoke all current tokens of a user", "app revoke demo ann",
			cli.Arguments("APP", "USER"), revokeUser, addRevokeFlags),
	)
	return cmd
}

// apps is the app bucket together with the flags and the output of one command.
type apps struct {
	kv    jetstream.KeyValue
	out   io.Writer
	flags *pflag.FlagSet
}

func appCommand(
	use, short, example string, args cobra.PositionalArgs,
	do func(context.Context, apps, []string) error, addFlags func(*pflag.FlagSet),
) *cobra.Command {
	t := natsconn.Target{App: "demo"}
	cmd := &cobra.Command{
		Use: use, Short: short, Example: "  ringline " + example, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.Read(cmd); err != nil {
				return err
			}
			if len(args) > 0 {
				if err := events.CheckToken("APP", args[0]); err != nil {
					return cli.WithoutCode(err)
				}
			}
			kv, done, err := openApps(cmd.Context(), &t)
			if err != nil {
				return err
			}
			defer done()
			return do(cmd.Context(), apps{kv: kv, out: cmd.OutOrStdout(), flags: cmd.Flags()}, args)
		},
	}
	settings.AddNATSFlag(cmd)
	if addFlags != nil {
		addFlags(cmd.Flags())
	}
	return cmd
}

// openApps opens the bucket; done closes the connection.
func openApps(ctx context.Context, t *natsconn.Target) (kv jetstream.KeyValue, done func(), err error) {
	conn, err := t.Connect("app")
	if err != nil {
		return nil, nil, err
	}
	if kv, err = conn.JS.KeyValue(ctx, streams.BucketApps); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("open the apps at %s: %w", settings.WithoutSecrets(t.URL), err)
	}
	return kv, conn.Close, nil
}

func addAppFlags(f *pflag.FlagSet) {
	f.Int("capacity", 0, fmt.Sprintf("calls on a user's line, 1 to %d", events.MaxCapacity))
	f.Duration("ring-timeout", 0, fmt.Sprintf("default ring timeout, 1s to %ds", events.MaxRingTimeoutS))
	f.Int("max-callees", 0, fmt.Sprintf("callees of a call in total, 1 to %d", events.MaxCallees))
	f.Duration("max-duration", 0, "the longest call, 1s to 17h")
	f.Int("commands-per-s", 0, fmt.Sprintf("commands a second of the whole app, 1 to %d (default %d)", events.MaxCommandsPerS, events.DefaultCommandsPerS))
	f.String("bytes-per-s", "", fmt.Sprintf("bytes a second that the whole app may store, such as 4MiB, %v to %v (default %v)",
		settings.ByteSize(events.MinBytesPerS), settings.ByteSize(events.MaxBytesPerS), settings.ByteSize(events.DefaultBytesPerS)))
	f.Int("api-slots", 0, fmt.Sprintf("requests of the app in flight in one api, 1 to %d (default %d)", events.MaxAPISlots, events.DefaultAPISlots))
	f.Int("pair-invites-per-min", 0, fmt.Sprintf("invitations a minute of a caller's sessions to the same callee, 1 to %d (default %d)",
		events.MaxPairInvitesPerMin, events.DefaultPairInvitesPerMin))
	f.Int("ringing-per-caller", 0, fmt.Sprintf("callees of the sessions of one user that may ring at the same time, 1 to %d (default %d)",
		events.MaxRingingPerCaller, events.DefaultRingingPerCaller))
	f.Duration("reach", 0, fmt.Sprintf("how long devices of a callee have to confirm that they ring, %ds to %ds; 0s: no limit (default)", events.MinReachS, events.MaxReachS))
	f.Duration("lost-ringing", 0, fmt.Sprintf("how long a caller's device may be without a session while the call rings, 0s (never) to %ds (default %ds)", events.MaxLostS, events.DefaultLostRingingS))
	f.Duration("lost-active", 0, fmt.Sprintf("the same for all parties of an active call, 0s (never) to %ds (default %ds)", events.MaxLostS, events.DefaultLostActiveS))
	f.Duration("lost-away", 0, fmt.Sprintf("the same for a device that is away, 0s (never) to %ds (default %ds)", events.MaxLostAwayS, events.DefaultLostAwayS))
	f.String("service-call-prefix", "", fmt.Sprintf("prefix of call ids that are reserved for the app's backend (default %s)", events.DefaultServiceCallPrefix))
	f.String("end-when-alone", "", fmt.Sprintf("when an active call ends in which one party is left while callees ring: %s (default) or %s", events.AloneAtLastRing, events.AloneNow))
	f.String("room-id-from", "", fmt.Sprintf("who may choose the room id of a call: %s (default) or %s", events.RoomIDFromAny, events.RoomIDFromService))
	f.StringArray("origin", nil, "origin of a page that may open sessions, such as https://app.example.com; repeat the flag for more: they replace all previous ones ('' removes all)")
}

func getApp(ctx context.Context, a apps, args []string) error {
	e, err := a.kv.Get(ctx, args[0])
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return a.print(args[0], "has the default settings")
	}
	if err != nil {
		return fmt.Errorf("read app %s: %w", args[0], err)
	}
	return a.show(args[0], e.Value())
}

func listApps(ctx context.Context, a apps, _ []string) error {
	keys, err := a.kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		_, err := fmt.Fprintln(a.out, "all apps have the default settings")
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
	return a.print(args[0], "has the default settings")
}

// show prints how workers of this version read the settings.
func (a apps) show(app string, value []byte) error {
	read := events.AppSettingsInForce(value, events.AppSettings{})
	list := append(limitTexts(read.Settings), sessionTexts(read.Settings)...)
	if len(list) == 0 {
		list = []string{"has the default settings"}
	}
	for _, name := range read.Unknown {
		list = append(list, fmt.Sprintf("%s is unknown to this version, which ignores it", cli.Plain(name)))
	}
	for _, bad := range read.Bad {
		list = append(list, fmt.Sprintf("malformed, not in effect: %s", events.Message(bad)))
	}
	return a.print(app, strings.Join(list, ", "))
}

func limitTexts(s events.AppSettings) (list []string) {
	for _, f := range []struct {
		name  string
		value int
		unit  string
	}{
		{"capacity", s.Capacity, ""},
		{"ring timeout", s.RingTimeoutS, "s"},
		{"callees", s.MaxCallees, ""},
		{"duration", s.MaxDurationS, "s"},
		{"commands", s.CommandsPerS, "/s"},
		{"api slots", s.APISlots, ""},
		{"invitations of a pair", s.PairInvitesPerMin, "/min"},
		{"ringing per caller", s.RingingPerCaller, ""},
		{"reach", s.ReachS, "s"},
	} {
		if f.value > 0 {
			list = append(list, fmt.Sprintf("%s %d%s", f.name, f.value, f.unit))
		}
	}
	if s.BytesPerS > 0 {
		list = append(list, fmt.Sprintf("bytes %v/s", settings.ByteSize(s.BytesPerS)))
	}
	for _, f := range []struct {
		name  string
		value *int
	}{
		{"lost while ringing", s.LostRingingS}, {"lost while active", s.LostActiveS}, {"lost while away", s.LostAwayS},
	} {
		if f.value != nil {
			list = append(list, fmt.Sprintf("%s %ds", f.name, *f.value))
		}
	}
	for _, f := range []struct{ name, value string }{
		{"service call prefix", s.ServiceCallPrefix}, {"end when alone", string(s.EndWhenAlone)}, {"room id from", string(s.RoomIDFrom)},
	} {
		if f.value != "" {
			list = append(list, f.name+" "+f.value)
		}
	}
	return list
}

// sessionTexts shows keys by name only, never their secrets.
func sessionTexts(s events.AppSettings) (list []string) {
	if len(s.TokenKeys) > 0 {
		list = append(list, "token keys "+strings.Join(kids(s), " "))
	}
	if len(s.Origins) > 0 {
		list = append(list, "origins "+strings.Join(s.Origins, " "))
	}
	if len(s.NotBefore) > 0 {
		list = append(list, "revoked tokens of "+counted(len(s.NotBefore), "user"))
	}
	return list
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (a apps) print(app, text string) error {
	_, err := fmt.Fprintf(a.out, "%s  %s\n", app, text)
	return err
}

package caller

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// verb is a subcommand that sends one request to the API. It sends the arguments unchecked: the service validates them
// and words the errors.
type verb struct {
	name    string
	args    string // after the name, in the usage text
	short   string
	example string
	flags   []string
	call    bool // the first argument is the call id
	callees calleeForm
}

// calleeForm is the form of the callees in the request.
type calleeForm int

const (
	noCallees    calleeForm = iota
	someParties             // [{user_id}], at least one
	maybeUserIDs            // [user_id], or omitted
)

const methodGet = "get"

func verbs() []verb {
	return []verb{
		{
			name: string(events.VerbInvite), args: "CALLEE… --user CALLER", short: "Invite users to a call",
			example: "invite bob eve --user ann --name Ann --video --data hi --timeout 30s", callees: someParties,
			flags: []string{"user", "name", "device", "call", "room", "video", "data", "timeout", "command-id"},
		},
		{
			name: string(events.VerbAdd), args: "CALL CALLEE… --user U|--service S", short: "Invite more users to a call",
			example: "add c1 joe --user ann", call: true, callees: someParties,
			flags: []string{"user", "service", "device", "data", "timeout", "seen", "command-id"},
		},
		{
			name: string(events.VerbRing), args: "CALL --user U", short: "Report that a callee's device rings",
			example: "ring c1 --user bob", call: true, flags: []string{"user", "device", "attempt", "command-id"},
		},
		{
			name: string(events.VerbAccept), args: "CALL --user U", short: "Answer a call",
			example: "accept c1 --user bob --device phone-1", call: true,
			flags: []string{"user", "device", "data", "attempt", "command-id"},
		},
		{
			name: string(events.VerbDecline), args: "CALL --user U", short: "Decline a call",
			example: "decline c1 --user bob --busy", call: true,
			flags: []string{"user", "device", "data", "attempt", "busy", "command-id"},
		},
		{
			name: string(events.VerbCancel), args: "CALL [CALLEE…] --user U|--service S",
			short:   "Withdraw the invitation of all callees or of some",
			example: "cancel c1 --user ann", call: true, callees: maybeUserIDs,
			flags: []string{"user", "service", "device", "data", "seen", "command-id"},
		},
		{
			name: string(events.VerbLeave), args: "CALL --user U", short: "Hang up",
			example: "leave c1 --user bob", call: true, flags: []string{"user", "device", "data", "attempt", "seen", "command-id"},
		},
		{
			name: string(events.VerbTake), args: "CALL --user U --device D", short: "Move a call to another device of its user",
			example: "take c1 --user bob --device laptop", call: true, flags: []string{"user", "device", "attempt", "seen", "command-id"},
		},
		{
			name: string(events.VerbEnd), args: "CALL --user U|--service S", short: "End a call for all parties",
			example: "end c1 --service desk", call: true, flags: []string{"user", "service", "device", "data", "seen", "command-id"},
		},
		{name: methodGet, args: "CALL", short: "Show a call", example: "get c1", call: true},
	}
}

// NewVerbs are the commands that send one request each.
func NewVerbs() []*cobra.Command {
	var list []*cobra.Command
	for _, v := range verbs() {
		list = append(list, v.command())
	}
	return list
}

func (v verb) command() *cobra.Command {
	var c client
	var asJSON bool
	cmd := &cobra.Command{
		Use: v.name + " " + v.args, GroupID: cli.GroupCall, Short: v.short, Example: "  ringline " + v.example,
		DisableFlagsInUseLine: true,
		Args:                  v.checkArgs,
		PreRunE:               func(cmd *cobra.Command, _ []string) error { return v.checkSender(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.Read(cmd); err != nil {
				return err
			}
			body, err := v.request(cmd.Flags(), args)
			if err != nil {
				return err
			}
			if v.waitsForCall() {
				if err := c.lookUp(cmd, args[0]); err != nil {
					return err
				}
			}
			answer, err := c.request(cmd.Context(), v.name, body)
			if err != nil {
				return err
			}
			return v.show(cmd, &c, answer, asJSON)
		},
	}
	for _, name := range v.flags {
		addField(cmd.Flags(), name)
	}
	if v.waitsForCall() {
		cmd.Flags().Bool(flagEarly, false, v.earlyText())
	}
	c.AddFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as received")
	return cmd
}

func (v verb) checkArgs(_ *cobra.Command, args []string) error {
	var want []string
	if v.call {
		want = append(want, "CALL")
	}
	if v.callees == someParties {
		want = append(want, "CALLEE")
	}
	switch {
	case len(args) < len(want):
		return fmt.Errorf("%s is missing", want[len(args)])
	case v.callees == noCallees && len(args) > len(want):
		return fmt.Errorf("unexpected argument %q", args[len(want)])
	}
	return nil
}

// checkSender requires the flag that names the sender.
func (v verb) checkSender(cmd *cobra.Command) error {
	user, service := cmd.Flags().Lookup("user"), cmd.Flags().Lookup("service")
	switch {
	case user == nil || user.Changed:
		return nil
	case service == nil:
		return errors.New("--user is missing: the sending user")
	case !service.Changed:
		return errors.New("--user or --service is missing: the sender")
	}
	return nil
}

// addField adds the flag of one field of the request.
func addField(f *pflag.FlagSet, name string) {
	switch name {
	case "user":
		f.String(name, "", "the sending user")
	case "service":
		f.String(name, "", "the sending service, instead of a user")
	case "name":
		f.String(name, "", "the caller's display name")
	case "device":
		f.String(name, "", "the user's device")
	case "call":
		f.String(name, "", "call id (default: generated)")
	case "room":
		f.String(name, "", "media room (default: the call id)")
	case "data":
		f.String(name, "", "custom data, up to 4,096 bytes")
	case "command-id":
		f.String(name, "", "idempotency key: a repeat changes nothing (default: generated)")
	case "video":
		f.Bool(name, false, "a video call (default: voice)")
	case "busy":
		f.Bool(name, false, "decline because the callee is busy")
	case "attempt":
		f.Int(name, 0, "only if this is still the callee's attempt")
	case "seen":
		f.Int(name, 0, "the seq of the call that the decision is based on")
	case "timeout":
		f.Duration(name, 0, "ring timeout, 1s to 600s (default: that of the app, 60s)")
	}
}

// request encodes the body from the arguments and the flags that were given.
func (v verb) request(flags *pflag.FlagSet, args []string) ([]byte, error) {
	body := map[string]any{}
	if v.call {
		body["call_id"], args = args[0], args[1:]
	}
	if v.name == string(events.VerbInvite) {
		body["call_type"] = events.CallTypeVoice
	}
	if len(args) > 0 {
		body["callees"] = v.calleeList(args)
	}
	for _, s := range args {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not valid UTF-8", s)
		}
	}
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if !utf8.ValidString(f.Value.String()) {
			err = errors.Join(err, fmt.Errorf("--%s is not valid UTF-8", f.Name))
		}
		setField(body, flags, f)
	})
	if err != nil {
		return nil, err
	}
	return events.Encode(body)
}

func (v verb) calleeList(ids []string) any {
	if v.callees == maybeUserIDs {
		return ids
	}
	parties := make([]events.Party, len(ids))
	for i, id := range ids {
		parties[i].UserID = id
	}
	return parties
}

// setField copies a flag into the request. It ignores flags that are not fields, such as --json.
func setField(body map[string]any, flags *pflag.FlagSet, f *pflag.Flag) {
	fields := map[string]string{
		"user": "user_id", "service": "service", "name": "user_name", "device": "device_id", "call": "call_id",
		"room": "room_id", "data": "custom_data", "command-id": "command_id",
	}
	on := f.Value.String() == "true"
	switch field, isText := fields[f.Name]; {
	case isText:
		body[field] = f.Value.String()
	case f.Name == "video" && on:
		body["call_type"] = events.CallTypeVideo
	case f.Name == "busy" && on:
		body["reason"] = events.ReasonBusy
	case f.Name == "attempt", f.Name == "seen":
		body[f.Name], _ = flags.GetInt(f.Name) // added as an int flag
	case f.Name == "timeout":
		d, _ := flags.GetDuration(f.Name)
		body["ring_timeout_s"] = float64(d) / float64(time.Second)
	}
}

// show prints the answer. It returns an error answer as the error of the command.
func (v verb) show(cmd *cobra.Command, c *client, answer []byte, asJSON bool) error {
	a, err := events.ReadAnswer(answer)
	if err != nil {
		return fmt.Errorf("the answer is malformed: %w: %.200q", err, answer)
	}
	out := cmd.OutOrStdout()
	if asJSON {
		_, err = fmt.Fprintf(out, "%s\n", bytes.TrimSpace(answer))
	} else if a.Call != nil {
		err = v.showCall(out, a, c.flagsToRepeat(cmd))
	}
	if err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	if a.Error != nil {
		return v.advised(a.Error)
	}
	if !a.OK {
		return errors.New("the answer is neither ok nor an error")
	}
	return nil
}

// advised adds advice to an error, if the command line can help.
func (v verb) advised(err *events.Error) error {
	if err.Code == events.CodeAlreadyExists && v.name == string(events.VerbInvite) {
		return fmt.Errorf("%w; choose another id, or omit --call", err)
	}
	return err
}

// showCall prints the call. For a new call it adds the command that answers it, and for an add the callees that were refused.
func (v verb) showCall(out io.Writer, a events.Answer, flags string) error {
	p := newColors(out)
	text := callText(p, *a.Call, time.Now())
	rings := slices.IndexFunc(a.Call.Callees, events.Callee.Pending)
	if v.name == string(events.VerbInvite) && a.OK && rings >= 0 {
		text += "\nAnswer it:  " + p.Bold(fmt.Sprintf("%s accept %s --user %s%s",
			cli.Invocation(), a.Call.CallID, cli.ShellWord(a.Call.Callees[rings].UserID), flags)) + "\n"
	}
	_, err := io.WriteString(out, text+refusedText(a.Refused))
	return err
}

package caller

import (
	"fmt"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// flagEarly sends a command although its call does not exist yet.
const flagEarly = "early"

// waitsForCall reports whether the service waits 5 s for a missing call, because the command may have overtaken its
// invitation.
func (v verb) waitsForCall() bool { return events.Verb(v.name).MayOvertake() }

func (v verb) earlyText() string {
	text := "send it even if there is no such call: it waits 5s for the invitation"
	if v.name != string(events.VerbAdd) {
		text += ", and takes the id out of use if none arrives"
	}
	return text
}

// lookUp checks that the call exists before a command that would wait for it. The usual cause of a missing call is a
// mistyped id.
func (c *client) lookUp(cmd *cobra.Command, callID string) error {
	body, err := events.Encode(map[string]string{"call_id": callID})
	if err != nil {
		return err
	}
	answer, err := c.request(cmd.Context(), methodGet, body)
	if err != nil {
		return err
	}
	a, err := events.ReadAnswer(answer)
	if err != nil || a.Error == nil || a.Error.Code != events.CodeNotFound {
		return nil //nolint:nilerr // the command itself says what is wrong
	}
	if early, _ := cmd.Flags().GetBool(flagEarly); !early {
		return fmt.Errorf("there is no call %s; `%s list` shows the open calls of app %s, and --%s sends it anyway",
			cli.Plain(callID), cli.Invocation(), c.App, flagEarly)
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "there is no call %s yet, waiting up to 5s for its invitation\n", cli.Plain(callID))
	return err
}

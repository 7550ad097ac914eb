package caller

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// NewLine is the command that shows a user's line.
func NewLine() *cobra.Command {
	return readCommand("line USER", "Show the calls that a user is in", "line bob", cli.Arguments("USER"), "line",
		func(_ *cobra.Command, args []string) any { return map[string]string{"user_id": args[0]} },
		func(out io.Writer, answer []byte) error {
			var a events.LineAnswer
			if err := json.Unmarshal(answer, &a); err != nil {
				return err
			}
			if len(a.Calls) == 0 {
				a.Calls = []string{"not in a call"}
			}
			_, err := fmt.Fprintln(out, strings.Join(a.Calls, "\n"))
			return err
		})
}

// NewList is the command that shows an app's open calls.
func NewList() *cobra.Command {
	cmd := readCommand("list", "Show the open calls of an app, the newest first", "list --state ringing", cli.NoArguments, "list",
		func(cmd *cobra.Command, _ []string) any {
			body := map[string]any{}
			if s, _ := cmd.Flags().GetString("state"); s != "" {
				body["state"] = s
			}
			if n, _ := cmd.Flags().GetInt("limit"); cmd.Flags().Changed("limit") {
				body["limit"] = n
			}
			return body
		},
		func(out io.Writer, answer []byte) error {
			var a events.ListAnswer
			if err := json.Unmarshal(answer, &a); err != nil {
				return err
			}
			if len(a.Calls) == 0 {
				_, err := fmt.Fprintln(out, "no open calls")
				return err
			}
			for _, c := range a.Calls {
				if _, err := io.WriteString(out, callText(newColors(out), c, time.Now())); err != nil {
					return err
				}
			}
			return nil
		})
	cmd.Flags().String("state", "", "ringing or active (default both)")
	cmd.Flags().Int("limit", 0, fmt.Sprintf("maximum number of calls, 1 to %d (default %d)", events.MaxListLimit, events.DefaultListLimit))
	return cmd
}

// readCommand is a subcommand that reads through the API.
func readCommand(
	use, short, example string, args cobra.PositionalArgs, method string,
	body func(*cobra.Command, []string) any, show func(io.Writer, []byte) error,
) *cobra.Command {
	var c client
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, GroupID: cli.GroupCall, Short: short, Example: "  ringline " + example, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.Read(cmd); err != nil {
				return err
			}
			request, err := events.Encode(body(cmd, args))
			if err != nil {
				return err
			}
			answer, err := c.request(cmd.Context(), method, request)
			if err != nil {
				return err
			}
			if asJSON {
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", answer)
			}
			a, err := events.ReadAnswer(answer)
			switch {
			case err != nil:
				return fmt.Errorf("the answer is malformed: %w: %.200q", err, answer)
			case a.Error != nil:
				return a.Error
			case asJSON:
				return nil
			}
			return show(cmd.OutOrStdout(), answer)
		},
	}
	c.AddFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as received")
	return cmd
}

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The groups of commands in the help text.
const (
	GroupServe = "serve"
	GroupCall  = "call"
)

// AtMostOne returns an error if more than one of the flags is set.
func AtMostOne(cmd *cobra.Command, names ...string) error {
	given := ""
	for _, name := range names {
		switch {
		case !cmd.Flags().Changed(name):
		case given != "":
			return fmt.Errorf("--%s and --%s exclude each other", given, name)
		default:
			given = name
		}
	}
	return nil
}

// NoArguments accepts none.
func NoArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

// NoSubcommand is the Args of a command that only groups subcommands: any argument is a mistyped subcommand.
func NoSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("unknown command %q, %s has %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
}

// Arguments accepts exactly the named arguments.
func Arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing", names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("unexpected argument %q", args[len(names)])
		}
		return nil
	}
}

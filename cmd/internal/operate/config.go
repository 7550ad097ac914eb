package operate

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/settings"
)

// NewConfig is the command that shows and checks the settings.
func NewConfig() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "config", GroupID: cli.GroupServe, Short: "Show every setting: value, default, unit and meaning",
		Long: "Shows every setting: its value in this environment, its default, its unit and its meaning. With --check it\n" +
			"reports all problems instead: misspelt names, malformed values, settings that contradict each other.",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return checkConfig(cmd)
			}
			return showConfig(cmd)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "report all problems, and exit with 1 if there are any")
	return cmd
}

func showConfig(cmd *cobra.Command) error {
	tabs := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tabs, "SETTING\tVALUE\tDEFAULT\tUNIT\tMEANING")
	for _, x := range settings.List() {
		value, ok := os.LookupEnv(x.Name)
		if !ok {
			value = x.Default
		} else if x.Secret {
			value = settings.WithoutSecrets(value)
		}
		_, _ = fmt.Fprintf(tabs, "%s\t%s\t%s\t%s\t%s\n", x.Name, dash(value), dash(x.Default), x.Unit, x.Desc)
	}
	if err := tabs.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// dash shows an unset value as "-".
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return cli.Plain(s)
}

func checkConfig(cmd *cobra.Command) error {
	s, problems := settings.Load()
	if err := s.CheckTimers(); err != nil && len(problems) == 0 {
		problems = append(problems, settings.Problem{Text: err.Error()})
	}
	for _, p := range problems {
		_, _ = fmt.Fprintln(cmd.OutOrStdout(), p.Text)
	}
	if len(problems) > 0 {
		return fmt.Errorf("settings with problems: %d", len(problems))
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), "the settings are valid")
	return err
}

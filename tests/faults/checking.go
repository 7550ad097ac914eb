//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/record"
)

func checkCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "check HISTORY", Short: "Check the recorded history of a run again", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := load(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(check.Check(h, check.DefaultBounds()))
			}
			return judge(cmd.OutOrStdout(), h)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print findings as JSON, without an error")
	return cmd
}

// shown is the number of violations of one check that are printed in full.
const shown = 5

// judge checks a history and prints the report. It returns an error if there are violations.
func judge(w io.Writer, h *record.History) error {
	return reportViolations(w, check.Check(h, check.DefaultBounds()))
}

// reportViolations prints a report. It returns an error if there are violations.
func reportViolations(w io.Writer, report check.Report) error {
	printReport(w, report)
	if n := len(report.Violations); n > 0 {
		return fmt.Errorf("%d violations: %v", n, caught(report))
	}
	_, _ = fmt.Fprintln(w, "no violations")
	return nil
}

func printReport(w io.Writer, report check.Report) {
	_, _ = fmt.Fprintf(w, "  %-14s %9s %8s %10s\n", "check", "checked", "exempt", "violations")
	for _, f := range report.Figures {
		_, _ = fmt.Fprintf(w, "  %-14s %9d %8d %10d\n", f.Check, f.Looked, f.Exempt, f.Violations)
		const most = 100
		line := ""
		for _, p := range f.Parts {
			if part := fmt.Sprintf("%s: %d", p.Name, p.Value); len(line)+len(part) > most {
				_, _ = fmt.Fprintf(w, "      %s\n", line)
				line = part
			} else {
				line = strings.TrimPrefix(line+"; "+part, "; ")
			}
		}
		if line != "" {
			_, _ = fmt.Fprintf(w, "      %s\n", line)
		}
	}
	printed := map[string]int{}
	for _, v := range report.Violations {
		if printed[v.Check]++; printed[v.Check] <= shown {
			_, _ = fmt.Fprintf(w, "VIOLATION %s: %s %s: %s\n", v.Check, v.App, v.CallID, v.Text)
		}
	}
}

// caught lists the checks that found violations.
func caught(r check.Report) []string {
	var names []string
	for _, v := range r.Violations {
		if !slices.Contains(names, v.Check) {
			names = append(names, v.Check)
		}
	}
	return names
}

//go:build linux

package main

import (
	"os"

	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/defects"
)

// defectsCommand writes an overlay that plants defects in a build:
//
//	go test -overlay "$(go run ./tests/faults defects no-memory)" ./worker/...
func defectsCommand() *cobra.Command {
	source, build := ".", false
	cmd := &cobra.Command{
		Use: "defects [name…]", Short: "List the known defects, or write the overlay that plants some in a build, and print its path",
		RunE: func(cmd *cobra.Command, names []string) error {
			if len(names) > 0 {
				dir, err := os.MkdirTemp("", "ringline-defects-")
				if err != nil {
					return err
				}
				overlay, err := defects.Overlay(source, dir, names...)
				if err == nil {
					cmd.Println(overlay)
				}
				return err
			}
			if build {
				dir, err := os.MkdirTemp("", "ringline-defects-")
				if err != nil {
					return err
				}
				defer func() { _ = os.RemoveAll(dir) }()
				return defects.Build(cmd.Context(), source, dir)
			}
			for _, name := range defects.All() {
				p, err := defects.Read(name)
				if err != nil {
					return err
				}
				cmd.Printf("%-29s %s\n", name, p.Says)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&source, "source", source, "the root of the repository")
	cmd.Flags().BoolVar(&build, "build", false, "compile Ringline with each of them")
	return cmd
}

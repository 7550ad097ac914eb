package defects

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
)

// Build compiles the packages that the defects patch. It plants defects of different files together, so that
// few builds are needed.
func Build(ctx context.Context, root, dir string) error {
	var errs []error
	for i, names := range apart() {
		in := filepath.Join(dir, fmt.Sprint(i))
		overlay, err := Overlay(root, in, names...)
		if err != nil {
			return err
		}
		packages, err := packagesOf(names)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-overlay", overlay}, packages)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("defects: one of %q does not compile: %w\n%s", names, err, out))
		}
	}
	return errors.Join(errs...)
}

// apart puts the defects into groups. Within a group, no two defects patch the same file.
func apart() (groups [][]string) {
	var taken [][]string // the files of each group
	for _, name := range All() {
		p, err := Read(name)
		if err != nil {
			continue // Overlay reports it when the defect is planted, and a test reads all patches
		}
		var files []string
		for _, f := range p.Files {
			files = append(files, f.Path)
		}
		i := slices.IndexFunc(taken, func(have []string) bool {
			return !slices.ContainsFunc(files, func(f string) bool { return slices.Contains(have, f) })
		})
		if i < 0 {
			i, taken, groups = len(taken), append(taken, nil), append(groups, nil)
		}
		taken[i], groups[i] = append(taken[i], files...), append(groups[i], name)
	}
	return groups
}

// packagesOf lists the packages that the defects patch, as arguments of the go command.
func packagesOf(names []string) (packages []string, err error) {
	for _, name := range names {
		p, err := Read(name)
		if err != nil {
			return nil, err
		}
		for _, f := range p.Files {
			packages = append(packages, "./"+path.Dir(f.Path))
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages), nil
}

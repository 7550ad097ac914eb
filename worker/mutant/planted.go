//go:build mutants

package mutant

// planted is set by the linker.
var planted string //nolint:gochecknoglobals // nothing else can be set at build time

// Planted says whether this build has the defect.
func Planted(d Defect) bool { return string(d) == planted }

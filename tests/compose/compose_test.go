// Package compose checks compose.yaml, and the files that it mounts and builds from, against the code. It is a
// module of its own, outside of go.work, because the libraries that read those files would choose versions for Ringline.
// Run it with GOWORK=off.
package compose

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// site is the folder under test and the ringline binary to check it against.
type site struct {
	root     string
	ringline string
}

// findings are the problems found.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *findings) check(ok bool, format string, args ...any) {
	if !ok {
		f.add(format, args...)
	}
}

func TestComposeFitsTheCode(t *testing.T) {
	for _, finding := range (site{root: repo(t), ringline: build(t)}).findings(t) {
		t.Error(finding)
	}
}

// findings returns all problems.
func (s site) findings(t *testing.T) (f findings) {
	t.Helper()
	project, err := s.load(t.Context())
	if err != nil {
		f.add("compose.yaml: %v", err)
		return f
	}
	for _, name := range project.ServiceNames() {
		svc := project.Services[name]
		s.checkFiles(&f, svc)
		checkRestrictions(&f, svc)
		checkDependencies(&f, project, svc)
	}
	nodes := s.checkNodes(t, &f, project)
	s.checkWorkers(t.Context(), &f, project, nodes)
	s.checkDockerfile(&f)
	s.checkPrometheus(&f, project)
	return f
}

// TestLimitsOfStreamsReachSetup sets each limit as .env does.
func TestLimitsOfStreamsReachSetup(t *testing.T) {
	s := site{root: repo(t), ringline: build(t)}
	listed, err := s.run(t.Context(), nil, "config")
	if err != nil {
		t.Fatalf("%v: %s", err, listed)
	}
	names := regexp.MustCompile(`(?m)^RINGLINE_[A-Z]+_MAX_BYTES\b`).FindAllString(listed, -1)
	if len(names) != 9 {
		t.Errorf("limits are %v", names)
	}
	var env []string
	for i, name := range names {
		env = append(env, fmt.Sprintf("%s=%dGiB", name, 20+i))
	}
	set, err := s.load(t.Context(), env...)
	if err != nil {
		t.Fatal(err)
	}
	unset, err := s.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if got, want := setting(set.Services["setup"], name), fmt.Sprintf("%dGiB", 20+i); got != want {
			t.Errorf("%s is %q in .env, and %q for setup", name, want, got)
		}
		if v := unset.Services["setup"].Environment[name]; v != nil {
			t.Errorf("%s is not set, and %q for setup", name, *v)
		}
	}
}

// load reads compose.yaml as Compose does, with only these variables in the environment. It reports services, volumes
// and variables that do not exist.
func (s site) load(ctx context.Context, env ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(s.root, "compose.yaml")}, cli.WithWorkingDirectory(s.root), cli.WithEnv(env))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

// checkFiles requires that everything a service mounts or is built from exists.
func (s site) checkFiles(f *findings, svc types.ServiceConfig) {
	var files []string
	for _, v := range svc.Volumes {
		if v.Type == types.VolumeTypeBind {
			files = append(files, v.Source)
			f.check(v.ReadOnly, "%s: may write to %s", svc.Name, v.Source)
		}
	}
	if svc.Build != nil {
		files = append(files, filepath.Join(svc.Build.Context, svc.Build.Dockerfile))
	}
	for _, file := range files {
		_, err := os.Stat(file)
		f.check(err == nil, "%s: %v", svc.Name, err)
	}
}

// checkRestrictions requires of every service the settings that limit the damage of a break-in.
func checkRestrictions(f *findings, svc types.ServiceConfig) {
	f.check(svc.ReadOnly, "%s: not read_only", svc.Name)
	f.check(slices.Equal(svc.CapDrop, []string{"ALL"}), "%s: cap_drop is not ALL", svc.Name)
	f.check(slices.Contains(svc.SecurityOpt, "no-new-privileges:true"), "%s: no-new-privileges is missing", svc.Name)
	f.check(svc.Image == ringlineImage || strings.Contains(svc.Image, ":"), "%s: image %s has no version", svc.Name, svc.Image)
	if !oneShot(svc) { // long-running services
		f.check(svc.Image == ringlineImage || svc.User != "" && !strings.HasPrefix(svc.User, "0:"), "%s: user %q is root", svc.Name, svc.User)
		f.check(len(svc.CapAdd) == 0, "%s: cap_add", svc.Name)
	}
	for _, p := range svc.Ports {
		addr, err := netip.ParseAddr(p.HostIP)
		f.check(err == nil && addr.IsLoopback(), "%s: port %s is published beyond this host", svc.Name, p.Published)
	}
	if svc.GetScale() > 1 {
		f.check(len(svc.Ports) == 0 && svc.ContainerName == "", "%s: can't be scaled with ports or a container_name of its own", svc.Name)
	}
}

func oneShot(svc types.ServiceConfig) bool {
	return svc.Restart == "" || svc.Restart == types.RestartPolicyNo
}

// checkDependencies requires conditions that can become true.
func checkDependencies(f *findings, project *types.Project, svc types.ServiceConfig) {
	for name, d := range svc.DependsOn {
		on := project.Services[name]
		switch d.Condition {
		case types.ServiceConditionHealthy:
			f.check(on.HealthCheck != nil, "%s: waits for the health of %s, which has no healthcheck", svc.Name, name)
		case types.ServiceConditionCompletedSuccessfully:
			f.check(oneShot(on), "%s: waits for the end of %s, which is restarted", svc.Name, name)
		default:
			f.add("%s: does not say what it waits for of %s", svc.Name, name)
		}
	}
}

// environment returns the environment of a container of the service.
func environment(svc types.ServiceConfig) (list []string) {
	for name, value := range svc.Environment {
		if value != nil {
			list = append(list, name+"="+*value)
		}
	}
	return list
}

func repo(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// build returns the path of a newly built ringline.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ringline")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/ringline")
	cmd.Dir = repo(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return path
}

// run returns the output of a command of this site's ringline.
func (s site) run(ctx context.Context, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.ringline, args...)
	cmd.Env = append([]string{}, env...) // not nil, so that the process inherits no environment of ours
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

//go:build linux

package rig

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Used is the processor time of each process so far.
type Used map[string]time.Duration

// tick is the kernel's unit of processor time on Linux.
const tick = 10 * time.Millisecond

// Used reads what every process has used.
func (r *Rig) Used() Used {
	u := Used{}
	for _, n := range r.Nodes {
		u[n.Name] = n.used()
	}
	for _, w := range r.Workers() {
		u[w.Name] = w.used()
	}
	return u
}

func (p *Process) used() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ") // a name may hold blanks
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}

// Since tells the share of one core that each kind of process used.
func (u Used) Since(before Used, over time.Duration) string {
	kinds := map[string]time.Duration{}
	for name, t := range u {
		kind, _, _ := strings.Cut(name, "-")
		kinds[kind] += t - before[name]
	}
	var list []string
	for kind, t := range kinds {
		list = append(list, fmt.Sprintf("%s %.0f %%", kind, 100*t.Seconds()/over.Seconds()))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

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

// Used is the CPU time of each process so far.
type Used map[string]time.Duration

// tick is the unit of CPU time in /proc on Linux.
const tick = 10 * time.Millisecond

// Used returns the CPU time of every process.
func (r *Rig) Used() Used {
	u := Used{}
	for _, n := range r.Nodes {
		u[n.Name] = n.Processor()
	}
	for _, w := range r.Workers() {
		u[w.Name] = w.Processor()
	}
	for _, p := range r.others {
		u[p.Name] = p.Processor()
	}
	return u
}

// proc reads a file of the process in /proc. It returns "" if the process does not run.
func (p *Process) proc(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return ""
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
	if err != nil {
		return ""
	}
	return string(data)
}

// Memory returns the resident memory in bytes.
func (p *Process) Memory() int64 {
	for line := range strings.Lines(p.proc("status")) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Processor returns the CPU time used so far.
func (p *Process) Processor() time.Duration {
	_, rest, _ := strings.Cut(p.proc("stat"), ") ") // a name may contain spaces
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}

// Shares returns the share of one core that each kind of process used.
func (u Used) Shares(before Used, over time.Duration) map[string]float64 {
	kinds := map[string]float64{}
	for name, t := range u {
		kind, _, _ := strings.Cut(name, "-")
		kinds[kind] += (t - before[name]).Seconds() / over.Seconds()
	}
	return kinds
}

// Since formats the shares.
func (u Used) Since(before Used, over time.Duration) string {
	var list []string
	for kind, share := range u.Shares(before, over) {
		list = append(list, fmt.Sprintf("%s %.0f %%", kind, 100*share))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

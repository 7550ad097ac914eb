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

// proc reads a file that the kernel keeps of it; empty where it does not run.
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

// Memory is what it holds of the machine's memory, in bytes.
func (p *Process) Memory() int64 {
	for line := range strings.Lines(p.proc("status")) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Processor is the processor time that it has used.
func (p *Process) Processor() time.Duration {
	_, rest, _ := strings.Cut(p.proc("stat"), ") ") // a name may hold blanks
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}

// Shares gives the share of one core that each kind of process used.
func (u Used) Shares(before Used, over time.Duration) map[string]float64 {
	kinds := map[string]float64{}
	for name, t := range u {
		kind, _, _ := strings.Cut(name, "-")
		kinds[kind] += (t - before[name]).Seconds() / over.Seconds()
	}
	return kinds
}

// Since tells them.
func (u Used) Since(before Used, over time.Duration) string {
	var list []string
	for kind, share := range u.Shares(before, over) {
		list = append(list, fmt.Sprintf("%s %.0f %%", kind, 100*share))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

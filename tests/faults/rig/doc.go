// Package rig runs brokers and workers as separate processes, with a link between any two of them, and
// injects faults in them.
//
// The rig identifies every process by its name and ends it by its process id. When the rig ends, for whatever
// reason, the kernel kills the remaining processes and unmounts the brokers' disks. These mounts are visible
// only to the rig.
package rig

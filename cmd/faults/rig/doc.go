// Package rig runs brokers and workers as processes of their own, with a link between any two of them, and breaks them.
//
// Every process is one of ours: its name tells it, and it is ended by its id. When the rig ends, however it does, the
// kernel ends what is left of processes and of the brokers' disks, which nobody else sees.
package rig

// Package devices remembers the devices that have left an edge, or that are away.
//
// What it promises:
//
//  1. A device is away from Table.Away until Table.Back, or until its entry expires. A session of the device that
//     opens later on any edge also ends it.
//  2. The state is a set of times. The states that several edges have of one device merge into one, in any order, and
//     repeated messages change nothing.
//  3. The memory is bounded. A full table first forgets the devices that left longest ago and are not away. From then on a
//     device that it does not know counts as seen when the latest session ended that it forgot: it is never reported to be
//     gone for longer than it is.
//  4. Nothing is stored. Edges copy the devices that are away to each other, so that they outlive one edge.
package devices

// Package cli is the command line as all commands share it: the checks of arguments, suggestions for a mistyped word,
// the command that starts this program again, and text that is safe to print on a terminal.
package cli

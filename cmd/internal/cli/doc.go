// Package cli is the command line as all commands share it: the checks of arguments, suggestions for a mistyped word,
// the command that starts this program again, and text for a terminal: words that are safe to print, and errors without their code.
package cli

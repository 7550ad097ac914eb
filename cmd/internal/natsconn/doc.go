// Package natsconn opens the NATS connections of commands and processes. It turns a refusal into an error that names the
// setting with the credentials, and logs the loss of a server once per process.
package natsconn

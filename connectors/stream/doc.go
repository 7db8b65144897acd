// Package stream is what the sources share that tell of changes as they happen.
package stream

// Package file is the sink that writes each picture of a row into a folder,
// under a path made from its key, and removes it when the image is removed.
//
// A reader never sees half a file: it is written beside its name, synced and
// renamed. What comes from a row never becomes a folder and never leaves the
// one that the configuration names: separators in values are percent-encoded,
// and the operating system is asked to keep to the folder (os.Root), so that a
// symbolic link in it leads nowhere either.
package file

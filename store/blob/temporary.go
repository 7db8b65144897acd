package blob

// Temporary is a folder for files that nobody keeps: what a dead process has left
// there is swept by the next Open.
func (f *Folder) Temporary() string { return f.temporary() }

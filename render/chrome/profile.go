package chrome

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	profilePrefix = "pictifyd-chrome-"
	memoryFolder  = "/dev/shm"
	// roomyMemory is what the memory file system must have free: a container
	// often has 64 MB, and Chrome crashes when it fills it with bitmaps.
	roomyMemory = 512 << 20
)

// roomy reports whether the file system of dir has space for Chrome's work.
func roomy(dir string) bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return false
	}
	return uint64(fs.Bavail)*uint64(fs.Bsize) >= roomyMemory
}

// profileFolder is where profiles are kept.
func profileFolder() string {
	if roomy(memoryFolder) {
		return memoryFolder
	}
	return os.TempDir()
}

// newProfile makes a private folder in dir that holds everything that one
// Chrome writes. Its name says which process it belongs to, in few letters: the
// full browser keeps a socket in it, whose path the kernel limits to 107.
func newProfile(dir string, a account) (path string, err error) {
	path = filepath.Join(dir, profilePrefix+identity(os.Getpid())+"-"+strings.ToLower(rand.Text()[:6]))
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", fmt.Errorf("make Chrome's profile: %w", err)
	}
	if err := a.give(path); err != nil {
		return "", errors.Join(fmt.Errorf("give Chrome its profile: %w", err), os.RemoveAll(path))
	}
	return path, nil
}

// identity names the process pid so that a later process of the same number
// has another name: with its start, and with its pid namespace, which
// containers that share a folder do not share.
func identity(pid int) string {
	return strings.Join([]string{short(strconv.Itoa(pid)), short(startOf(pid)), pidNamespace()}, ".")
}

// short is a decimal number with more digits to choose from.
func short(decimal string) string {
	n, err := strconv.ParseUint(decimal, 10, 64)
	if err != nil {
		return "0"
	}
	return strconv.FormatUint(n, 36)
}

// startOf is the start of process pid in ticks since boot, "" when unknown.
func startOf(pid int) string {
	stat, err := readStat(pid)
	if err != nil {
		return ""
	}
	return stat.start
}

func pidNamespace() string {
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "0"
	}
	return short(strings.Trim(link, "pid:[]"))
}

// removeStale removes the profiles in dir whose daemon is dead. Those of
// another pid namespace can't be judged from here and stay.
func removeStale(dir string, log *slog.Logger) {
	paths, err := filepath.Glob(filepath.Join(dir, profilePrefix+"*"))
	if err != nil {
		return // only a malformed pattern, which a folder's name could be
	}
	for _, path := range paths {
		if !stale(filepath.Base(path)) {
			continue
		}
		killUsersOf(path)
		if err := removeProfile(path); err != nil {
			log.Warn("a stale Chrome profile stays", slog.String("path", path), slog.Any("err", err))
		}
	}
}

func stale(name string) bool {
	owner, _, _ := strings.Cut(strings.TrimPrefix(name, profilePrefix), "-")
	number, rest, _ := strings.Cut(owner, ".")
	_, namespace, _ := strings.Cut(rest, ".")
	pid, err := strconv.ParseInt(number, 36, 32)
	if err != nil || namespace != pidNamespace() {
		return false
	}
	return owner != identity(int(pid))
}

// removeProfile removes path although a dying process may still write there.
func removeProfile(path string) error {
	var err error
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		err = os.RemoveAll(path)
		if err == nil || !(errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist)) {
			return err
		}
		time.Sleep(wait)
	}
	return err
}

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sharedMemory = "/dev/shm"
	// roomyMemory is below what Chrome keeps its work in the temporary folder.
	roomyMemory = 512 << 20
	// scarceDisk is where a folder of data is soon full, noDisk where it is.
	scarceDisk = 1 << 30
	noDisk     = 100 << 20
)

// thisProgram is later than any clock that is right.
var thisProgram = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ownerOf names whom a process runs as.
func ownerOf(pid int) string {
	info, err := os.Stat("/proc/" + strconv.Itoa(pid))
	if err != nil {
		return "a user that this machine does not tell of"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "a user that this machine does not tell of"
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return "user " + u.Username
	}
	return "user id " + id
}

// space is what the file system of a folder has.
func space(dir string) (free, total uint64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, 0, err
	}
	size := uint64(fs.Bsize)
	return uint64(fs.Bavail) * size, uint64(fs.Blocks) * size, nil
}

func memorySign(dir string) Sign {
	sign := Sign{Name: dir, Health: Well}
	free, total, err := space(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		sign.Health, sign.Says = Warn, "is not there: Chrome works in the temporary folder, which is slower on a disk"
	case err != nil:
		sign.Health, sign.Says = Warn, err.Error()
	case free < roomyMemory:
		sign.Health, sign.Says = Warn, fmt.Sprintf("%s of %s free: Chrome works in the temporary folder, which is slower on a disk", bytesText(free), bytesText(total))
		sign.Do = "give it 1 GB: docker run --shm-size=1g, or a volume of medium Memory"
	default:
		sign.Says = fmt.Sprintf("%s of %s free", bytesText(free), bytesText(total))
	}
	return sign
}

func templatesSign(dir string) Sign {
	names, err := listTemplates(dir)
	if err != nil {
		sign := signOf("templates", err)
		sign.Health = Warn // of the machine nothing is missing
		sign.Do = "make one: pictifyd template new NAME --from STARTER --dir " + dir
		return sign
	}
	return Sign{Name: "templates", Health: Well, Says: fmt.Sprintf("%s in %s", count(len(names), "template"), dir)}
}

// dataFolders are where the daemon keeps what it has, each once.
func (s *Settings) dataFolders() []string {
	var folders []string
	if path, ok := strings.CutPrefix(s.Store.URL, "sqlite:"); ok {
		folders = append(folders, filepath.Dir(absolute(s.Dir, strings.TrimPrefix(path, "//"))))
	}
	if path, ok := strings.CutPrefix(s.Blobs.URL, "file:"); ok {
		path = absolute(s.Dir, strings.TrimPrefix(strings.TrimPrefix(path, "//"), "localhost"))
		if len(folders) == 0 || !strings.HasPrefix(path, folders[0]+string(filepath.Separator)) {
			folders = append(folders, path)
		}
	}
	return folders
}

// diskSign is that of a folder of data, which need not be there yet.
func diskSign(dir string) Sign {
	sign := Sign{Name: "data folder", Health: Well}
	there := existing(dir)
	free, _, err := space(there)
	switch {
	case err != nil:
		sign.Health, sign.Says = Missing, fmt.Sprintf("%s: %v", there, err)
	case unix.Access(there, unix.W_OK) != nil:
		sign.Health, sign.Says = Missing, there+" cannot be written by this user"
		sign.Do = "give it to the user that pictifyd runs as, or name others with store: and blobs:"
	case free < noDisk:
		sign.Health, sign.Says, sign.Do = Missing, fmt.Sprintf("%s has only %s free", there, bytesText(free)), "make room"
	case free < scarceDisk:
		sign.Health, sign.Says, sign.Do = Warn, fmt.Sprintf("%s has only %s free", there, bytesText(free)), "make room"
	case there != dir:
		sign.Says = fmt.Sprintf("%s will be made, %s free", dir, bytesText(free))
	default:
		sign.Says = fmt.Sprintf("%s, %s free", dir, bytesText(free))
	}
	return sign
}

// existing is dir, or the nearest folder above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return dir
		}
		dir = above
	}
}

// clockSigns are those of the time: of day, in this place, and elsewhere.
func clockSigns(now time.Time, load func(string) (*time.Location, error), tz string) []Sign {
	clock := Sign{Name: "clock", Health: Well, Says: now.Format("2006-01-02 15:04 MST (UTC-07:00)")}
	zones := Sign{Name: "time zones", Health: Well, Says: "known"}
	if _, err := load("Asia/Kathmandu"); err != nil {
		zones = Sign{zones.Name, Missing, "there is no time zone database: templates and rows that name a zone fail", "apt-get install tzdata"}
	}
	name := strings.TrimPrefix(tz, ":")
	switch _, err := load(name); {
	case now.Before(thisProgram):
		clock = Sign{clock.Name, Missing, "it is " + now.Format(time.DateTime) + ", which was before this program", "set the clock: timedatectl set-ntp true"}
	case err != nil && !strings.HasPrefix(name, "/"):
		clock = Sign{clock.Name, Warn, fmt.Sprintf("TZ is %q, which is no time zone known here: it is taken for UTC", tz), "set TZ to a name like Europe/Berlin, or leave it out"}
	}
	return []Sign{clock, zones}
}

// bytesText is a number of bytes as people say it.
func bytesText(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	default:
		return fmt.Sprintf("%d MB", n>>20)
	}
}

//go:build unix

package engine

import (
	"fmt"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"jobman/job"
)

// identity is who a command runs as.
type identity struct {
	uid, gid int
	groups   []int
	user     *user.User // nil: nobody has this number
}

// identityOf finds the user and the groups that a spec asks for; nil: those of
// this process. Without a group it is the user's, with all that the user is in.
func identityOf(spec *job.Spec) (*identity, error) {
	if spec.UID == "" && spec.GID == "" {
		return nil, nil
	}
	id := &identity{uid: syscall.Geteuid(), gid: syscall.Getegid()}
	if spec.UID != "" {
		u, err := user.Lookup(spec.UID)
		if err != nil {
			u, err = user.LookupId(spec.UID)
		}
		switch n, nerr := strconv.Atoi(spec.UID); {
		case err == nil:
			id.user = u
			if id.uid, err = strconv.Atoi(u.Uid); err == nil {
				id.gid, err = strconv.Atoi(u.Gid)
			}
			if err != nil {
				return nil, err
			}
			names, err := u.GroupIds()
			if err != nil {
				return nil, fmt.Errorf("find the groups of %s: %w", spec.UID, err)
			}
			for _, name := range names {
				if g, err := strconv.Atoi(name); err == nil {
					id.groups = append(id.groups, g)
				}
			}
		case nerr == nil && n >= 0:
			id.uid, id.gid = n, n // nobody has it
		default:
			return nil, fmt.Errorf("there is no user %s", spec.UID)
		}
	}
	if spec.GID != "" {
		g, err := user.LookupGroup(spec.GID)
		if err != nil {
			g, err = user.LookupGroupId(spec.GID)
		}
		number := spec.GID
		if err == nil {
			number = g.Gid
		}
		if id.gid, err = strconv.Atoi(number); err != nil || id.gid < 0 {
			return nil, fmt.Errorf("there is no group %s", spec.GID)
		}
	}
	return id, nil
}

// take gives the FIFOs and pipes among these descriptors to the user, whose command
// may want to open /dev/stdout or /dev/stderr.
func (id *identity) take(fds ...int) error {
	for _, fd := range fds {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return fmt.Errorf("look at descriptor %d: %w", fd, err)
		}
		if st.Mode&unix.S_IFMT != unix.S_IFIFO {
			continue
		}
		if err := unix.Fchown(fd, id.uid, -1); err != nil {
			return fmt.Errorf("give descriptor %d to user %d: %w", fd, id.uid, err)
		}
	}
	return nil
}

// UserVariables returns the variables that tell the user which a spec asks for
// who it is, as login(1) sets them. It returns an error where there is no such
// user or group.
func UserVariables(spec *job.Spec) (map[string]string, error) {
	id, err := identityOf(spec)
	if err != nil || id == nil || id.user == nil {
		return nil, err
	}
	return map[string]string{"HOME": id.user.HomeDir, "USER": id.user.Username, "LOGNAME": id.user.Username}, nil
}

// RunAs has a command run as the user and group that a spec asks for.
func RunAs(cmd *exec.Cmd, spec *job.Spec) error {
	id, err := identityOf(spec)
	if err != nil || id == nil {
		return err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	c := &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}
	for _, g := range id.groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	cmd.SysProcAttr.Credential = c
	return nil
}

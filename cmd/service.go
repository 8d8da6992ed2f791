package cmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"hospay/deploy"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"
)

// serviceName is how the service manager calls the program.
const serviceName = "hospay"

// serviceFlags say how the program becomes a service of its machine.
type serviceFlags struct {
	account string
	print   bool
}

// serviceCommand looks after the service of systemd or Windows. What the service
// goes by stands in the settings file, see loadEnvironment.
func serviceCommand() *cobra.Command {
	var f serviceFlags
	cmd := &cobra.Command{Use: "service", Short: "系统服务（systemd、Windows）：安装、卸载、启动、停止、状态"}
	install := &cobra.Command{
		Use: "install", Short: "安装为系统服务，开机自动启动；设置写在设置文件里", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.install(cmd) },
	}
	install.Flags().StringVar(&f.account, "user", serviceName, "运行服务的系统账户（Linux），没有就新建")
	install.Flags().BoolVar(&f.print, "print", false, "只显示 systemd 单元文件，不安装")
	cmd.AddCommand(install)
	for _, c := range []struct{ use, short, done string }{
		{"uninstall", "停止并卸载系统服务；数据、设置和密钥不动", "服务已卸载；数据目录、设置和密钥都还在"},
		{"start", "启动服务", "服务已启动；hospay health 看是否就绪"},
		{"stop", "停止服务", "服务已停止"},
	} {
		cmd.AddCommand(&cobra.Command{Use: c.use, Short: c.short, Args: cobra.NoArgs, SilenceUsage: true,
			RunE: func(cmd *cobra.Command, _ []string) error {
				s, err := manager(service.Config{}, nil)
				if err != nil {
					return err
				}
				if c.use == "uninstall" {
					_ = s.Stop() // may not be running
				}
				if err := service.Control(s, c.use); err != nil {
					return fmt.Errorf("%s没有成功（需要管理员权限）：%w", c.short, err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), c.done)
				return nil
			}})
	}
	cmd.AddCommand(&cobra.Command{Use: "status", Short: "服务的状态：运行为 0，没有运行为 1", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return tellStatus(cmd) }})
	return cmd
}

// manager is the service manager of this machine.
func manager(c service.Config, run service.Interface) (service.Service, error) {
	c.Name, c.DisplayName = serviceName, "hospay 预交金退款与医保移动支付"
	c.Description, c.Arguments = "hospay: deposits paid back online, insured payments", []string{"serve"}
	s, err := service.New(run, &c)
	if err != nil {
		return nil, fmt.Errorf("本机没有可用的服务管理器：%w", err)
	}
	if runtime.GOOS == "linux" && !strings.Contains(s.Platform(), "systemd") {
		return nil, fmt.Errorf("本机的服务管理器是 %s，只支持 systemd；请用它自己的方式运行 hospay serve", s.Platform())
	}
	return s, nil
}

func (f serviceFlags) install(cmd *cobra.Command) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	}
	settings, dir := environmentFile(), dataDir()
	if f.print {
		fmt.Fprint(cmd.OutOrStdout(), unit(path, settings, dir, f.account))
		return nil
	}
	if _, err := os.Stat(settings); err != nil {
		return fmt.Errorf("还没有设置文件 %s：请先运行 hospay setup，或照 deploy/hospay.env 写一份", settings)
	}
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("数据目录 %s 应为绝对路径：请在 %s 里写 %s", dir, settings, envDir)
	}
	s, err := manager(service.Config{Executable: path, Option: service.KeyValue{
		"SystemdScript": unit(path, settings, dir, f.account),
		// Windows: a service that ends by itself is started again.
		"OnFailure": "restart", "OnFailureDelayDuration": "5s", "StartType": "automatic",
	}}, nil)
	if err != nil {
		return err
	}
	if runtime.GOOS == "linux" {
		if err := f.prepare(dir, settings); err != nil {
			return err
		}
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("没有装成（需要管理员权限；已经装过的先 uninstall）：%w", err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "已安装为系统服务 %s，设置在 %s。接下来：hospay service start，再 hospay health\n", serviceName, settings)
	return nil
}

// prepare makes the account of the service and gives it what it works with.
func (f serviceFlags) prepare(dir, settings string) error {
	if _, err := user.Lookup(f.account); err != nil {
		add := exec.Command("useradd", "--system", "--user-group", "--home-dir", dir, "--no-create-home", "--shell", "/usr/sbin/nologin",
			f.account)
		if out, err := add.CombinedOutput(); err != nil {
			return fmt.Errorf("新建系统账户 %s 没有成功：%w %s", f.account, err, strings.TrimSpace(string(out)))
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, own := range [][]string{{"-R", f.account + ":" + f.account, dir}, {"root:" + f.account, settings}} {
		if out, err := exec.Command("chown", own...).CombinedOutput(); err != nil {
			return fmt.Errorf("把 %s 交给 %s 没有成功：%w %s", own[len(own)-1], f.account, err, strings.TrimSpace(string(out)))
		}
	}
	for _, name := range []string{envKeyFile, envSealing + "_FILE"} {
		if path := os.Getenv(name); path != "" {
			if out, err := exec.Command("chown", f.account+":"+f.account, path).CombinedOutput(); err != nil {
				return fmt.Errorf("把 %s 交给 %s 没有成功：%w %s", path, f.account, err, strings.TrimSpace(string(out)))
			}
		}
	}
	return os.Chmod(settings, 0o640)
}

// unit is deploy/hospay.service with the paths of this machine. A data folder
// elsewhere than under /var/lib is named as one that may be written, and one under
// /home as one that may be seen.
func unit(program, settings, dir, account string) string {
	if strings.Contains(program, " ") {
		program = `"` + program + `"`
	}
	pairs := []string{"ExecStart=/usr/bin/hospay serve", "ExecStart=" + program + " serve",
		"EnvironmentFile=/etc/hospay/hospay.env", "EnvironmentFile=" + settings,
		"User=hospay", "User=" + account, "Group=hospay", "Group=" + account}
	write := "-/var/backups/hospay"
	if b := backupsFromEnvironment(); b.Folder != "" {
		write = strings.TrimSpace("-" + b.Folder + " " + prefixed(b.Second))
	}
	if dir != "/var/lib/hospay" {
		pairs = append(pairs, "StateDirectory=hospay\nStateDirectoryMode=0700\n", "")
		write += " " + dir
	}
	if write != "-/var/backups/hospay" {
		pairs = append(pairs, "ReadWritePaths=-/var/backups/hospay", "ReadWritePaths="+write)
	}
	if strings.HasPrefix(dir, "/home/") || strings.HasPrefix(dir, "/root/") {
		pairs = append(pairs, "ProtectHome=yes", "ProtectHome=no")
	}
	return strings.NewReplacer(pairs...).Replace(deploy.Unit)
}

func prefixed(path string) string {
	if path == "" {
		return ""
	}
	return "-" + path
}

// errNotRunning makes status exit with 1 after it has spoken.
var errNotRunning = errors.New("服务没有运行；hospay service start 启动")

func tellStatus(cmd *cobra.Command) error {
	s, err := manager(service.Config{}, nil)
	if err != nil {
		return err
	}
	switch is, err := s.Status(); {
	case errors.Is(err, service.ErrNotInstalled):
		return errors.New("服务没有安装；hospay service install 安装")
	case err != nil:
		return fmt.Errorf("服务异常：%w；看日志：journalctl -u %s（Windows：事件查看器）", err, serviceName)
	case is != service.StatusRunning:
		return errNotRunning
	}
	fmt.Fprintln(cmd.OutOrStdout(), "运行中")
	return nil
}

// managed is the program as the service manager of Windows starts and stops it.
// systemd needs none of it: it sends a signal.
type managed struct {
	run   func() error // until the program ends
	stop  func() error // makes it end
	exit  func(int)
	done  chan error
	asked chan struct{}
}

func newManaged(run, stop func() error, exit func(int)) *managed {
	return &managed{run: run, stop: stop, exit: exit, done: make(chan error, 1), asked: make(chan struct{})}
}

// Start implements service.Interface. A program that ends by itself takes the
// process along, so that the manager sees it and starts it again.
func (m *managed) Start(service.Service) error {
	go func() {
		err := m.run()
		m.done <- err
		select {
		case <-m.asked:
		default:
			m.exit(1)
		}
	}()
	return nil
}

// Stop implements service.Interface: it ends the program and waits for what is
// under way.
func (m *managed) Stop(service.Service) error {
	close(m.asked)
	err := m.stop()
	return errors.Join(err, <-m.done)
}

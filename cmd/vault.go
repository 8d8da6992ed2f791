package cmd

import (
	"errors"
	"fmt"
	"os"

	"hospay/internal/vault"
	"hospay/store"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// refuseInProduction stops commands that have no place beside real money.
func refuseInProduction(what string) error {
	if os.Getenv(envName) == EnvProduction {
		return fmt.Errorf("%s 不能在生产环境（%s=production）中运行", what, envName)
	}
	return nil
}

// vaultCommand makes and rotates keys.
func vaultCommand(app *pocketbase.PocketBase) *cobra.Command {
	cmd := vaultInitCommand()
	cmd.AddCommand(vaultRotate(app))
	return cmd
}

// vaultInitCommand is the part of it that opens no data folder.
func vaultInitCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "vault", Short: "密钥：生成、轮换、重新加密"}
	cmd.AddCommand(vaultInit())
	return cmd
}

func vaultInit() *cobra.Command {
	var out, alg string
	cmd := &cobra.Command{
		Use: "init", Short: "生成密钥文件（放在数据目录和备份之外）", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if alg != vault.AlgSM4 && alg != vault.AlgAES {
				return errors.New("--alg 只能是 sm4 或 aes")
			}
			if _, err := os.Stat(out); err == nil {
				return fmt.Errorf("%s 已存在，不会覆盖；换密钥请用 vault rotate", out)
			}
			if err := vault.NewKeyFile(alg, false).Write(out); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "已生成 %s（权限 0400）。请另存一份到保险柜：没有它，加密的数据无法恢复。\n", out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "hospay-key.json", "密钥文件")
	cmd.Flags().StringVar(&alg, "alg", vault.AlgSM4, "算法：sm4（国密）或 aes")
	return cmd
}

func vaultRotate(app *pocketbase.PocketBase) *cobra.Command {
	var kek bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "换用新的数据密钥并重新加密；--kek 同时换密钥文件中的主密钥", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := FromEnvironment(app.DataDir())
			file, err := vault.ReadKeyFile(o.KeyFile)
			if err != nil {
				return err
			}
			if kek {
				file.AddKEK()
				if err := file.Write(o.KeyFile); err != nil {
					return err
				}
			}
			v, err := vault.Open(file, store.KeyStore{App: app})
			if err != nil {
				return err
			}
			wrapped, err := v.Rewrap()
			if err != nil {
				return err
			}
			for _, p := range []vault.Purpose{vault.Person, vault.Secret, vault.File} {
				if err := v.Rotate(p); err != nil {
					return err
				}
			}
			n, err := store.New(app, v).Reseal(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "数据密钥已轮换，%d 个密钥重新包裹，%d 个字段重新加密。旧备份仍需要旧的密钥文件。\n", wrapped, n)
			return nil
		},
	}
	cmd.Flags().BoolVar(&kek, "kek", false, "同时更换主密钥")
	return cmd
}

func openVault(app core.App, o Options) (*vault.Vault, error) {
	if o.KeyFile == "" {
		return nil, fmt.Errorf("没有密钥文件：请先运行 hospay vault init --out FILE，再用环境变量 %s 指明它", envKeyFile)
	}
	file, err := vault.ReadKeyFile(o.KeyFile)
	if err != nil {
		return nil, err
	}
	if file.Demo && o.Env == EnvProduction {
		return nil, fmt.Errorf("%s 是演示密钥，生产环境拒绝使用", o.KeyFile)
	}
	if !file.Demo && within(o.KeyFile, app.DataDir()) {
		return nil, fmt.Errorf("密钥文件 %s 在数据目录里：拿到一份备份就能解开全部数据。请移到数据目录之外，再改 %s", o.KeyFile, envKeyFile)
	}
	v, err := vault.Open(file, store.KeyStore{App: app})
	if err != nil {
		return nil, err
	}
	return v, v.Ensure(vault.Person, vault.Secret, vault.Message, vault.File)
}

# Makes disk, vmlinuz and initrd in the directory $1, from the archive $2 of
# Debian's suite $3. It wants mount and process namespaces of its own, with which
# all that it leaves elsewhere ends.
set -eu
out=$1 archive=$2 suite=$3 root=/mnt/root

mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/kernel "$root"
cd /mnt/kernel
kernel=$(apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
apt-get download -qq "$kernel"
dpkg-deb -x ./*.deb .
version=$(ls lib/modules)

debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,initramfs-tools "$suite" "$root" "$archive" ||
	{ tail -n 50 "$root/debootstrap/debootstrap.log"; exit 1; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
mkdir -p "$root/usr/lib/modules"
cp -a "lib/modules/$version" "$root/usr/lib/modules/"
cp "boot/config-$version" "$root/boot/"
printf '%s\n' virtio_pci virtio_blk ext4 >> "$root/etc/initramfs-tools/modules"
sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
chroot "$root" depmod "$version"
chroot "$root" mkinitramfs -o /boot/initrd "$version"

echo vm > "$root/etc/hostname"
echo 127.0.0.1 localhost vm > "$root/etc/hosts"
: > "$root/etc/machine-id"
chroot "$root" useradd -m -s /bin/bash alice
mkdir -p "$root/var/lib/systemd/linger"
: > "$root/var/lib/systemd/linger/alice"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service; do
	ln -s /dev/null "$root/etc/systemd/system/$unit"
done

# The host's way in: a line "WORD SCRIPT" (base64) on the port is executed; its
# stdout goes out as it comes, and at last a line "WORD CODE STDERR" (base64).
cat > "$root/usr/local/sbin/vm-shell" <<'END'
#!/bin/sh
exec 3<>/dev/virtio-ports/shell
while read -r word script <&3; do
	echo "$script" | base64 -d > /run/vm-script
	code=0
	sh /run/vm-script < /dev/null >&3 2> /run/vm-stderr 3>&- || code=$?
	printf '\n%s %s %s\n' "$word" "$code" "$(base64 -w 0 /run/vm-stderr)" >&3
done
END
chmod 755 "$root/usr/local/sbin/vm-shell"
cat > "$root/etc/systemd/system/vm-shell.service" <<'END'
[Unit]
BindsTo=dev-virtio\x2dports-shell.device
After=dev-virtio\x2dports-shell.device
[Service]
ExecStart=/usr/local/sbin/vm-shell
[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable vm-shell.service

mkfs.ext4 -q -d "$root" /mnt/disk 2G
cp --sparse=always /mnt/disk "$out/disk"
cp "boot/vmlinuz-$version" "$out/vmlinuz"
cp "$root/boot/initrd" "$out/initrd"

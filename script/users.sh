# The system users of docs/architecture.md, one for each kind of process, and the group of those who may administer.
# Read by script/lib.sh, and part of the package's postinst: POSIX sh.
make_users() {
  getent group correio-admin >/dev/null || groupadd --system correio-admin
  for kind in db auth smtp access relay mda api; do
    getent passwd "correio-$kind" >/dev/null ||
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "correio-$kind"
  done
}

"""The script that recipes find as `sudo` on their PATH."""

# For root it runs the command. For any other user it fails and says how to allow sudo.
# Source of options, assignments and variables: sudo(8) of sudo 1.9. It keeps the environment, as with -E.
SUDO = r"""#!/bin/bash
user=root shell= login= background= folder= home= list=
words=("$@") assigned=()
while [[ "$1" == -?* || "$1" == [^/]*=* ]]; do
  word=$1
  shift
  case "$word" in
    --) break ;;
    --user=*) user=${word#*=} ;;
    --user) user=$1; shift ;;
    --chdir=*) folder=${word#*=} ;;
    --chdir) folder=$1; shift ;;
    --group|--host|--prompt|--close-from|--chroot|--role|--type|--command-timeout|--other-user) shift ;;
    --shell) shell=yes ;;
    --login) login=yes ;;
    --background) background=yes ;;
    --set-home) home=yes ;;
    --list) list=yes ;;
    --*) ;;
    -*)  # letters in one word; the first that takes a value takes the rest of the word, or the next word
      letters=${word#-}
      while [[ -n $letters ]]; do
        letter=${letters:0:1} letters=${letters:1}
        case "$letter" in
          [CDghpRrTtUu])
            value=$letters letters=
            if [[ -z $value ]]; then value=$1; shift; fi
            case "$letter" in u) user=$value ;; D) folder=$value ;; esac ;;
          s) shell=yes ;;
          i) login=yes ;;
          b) background=yes ;;
          H) home=yes ;;
          l) list=yes ;;
        esac
      done ;;
    *) assigned+=("$word") ;;
  esac
done
if [[ $(id -u) != 0 ]]; then
  echo "assay: a recipe wants to run as root: ${words[*]}" >&2
  echo "  try: --allow_sudo, or run that command yourself first" >&2
  exit 1
fi
if [[ -n $list ]]; then command -v "${1:-sudo}"; exit; fi
user=$(id -un -- "${user#'#'}") || exit 1
export SUDO_USER=${SUDO_USER:-root} SUDO_UID=${SUDO_UID:-0} SUDO_GID=${SUDO_GID:-0}
if [[ -n $home$login ]]; then HOME=$(getent passwd "$user" | cut -d: -f6); export HOME; fi
if [[ -n $login ]]; then cd -- "$HOME" || exit 1; fi
if [[ -n $folder ]]; then cd -- "$folder" || exit 1; fi
if [[ -n $shell$login ]]; then
  run=("${SHELL:-/bin/bash}" ${login:+-l})
  if (($#)); then printf -v line '%q ' "$@"; run+=(-c "$line"); fi
  set -- "${run[@]}"
fi
if (($# == 0)); then exit 0; fi
if ((${#assigned[@]})); then set -- env "${assigned[@]}" "$@"; fi
if [[ $user != root ]]; then set -- runuser -u "$user" -- "$@"; fi
if [[ -n $background ]]; then "$@" & exit 0; fi
exec "$@"
"""

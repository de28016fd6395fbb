"""The keys of a description that have a meaning in either dialect. `lint` reports all others.

Source: the keys that the pinned CM engine, its head and MLC's engine read, and counts over both public repositories.
"""

from __future__ import annotations

_COMMON = """
alias automation_alias automation_uid uid tags name desc category category_sort sort developers private
"""
_BLOCK = """
env default_env const state const_state deps post_deps prehook_deps posthook_deps predeps ad adr add_deps
add_deps_recursive input_mapping docker new_env_keys new_state_keys update_meta_if_env script_name
default_version warning warnings required_disk_space cache_expiration
"""
RECIPE_KEYS = frozenset(
    f"""{_COMMON} {_BLOCK} _base cache can_force_cache force_cache variations versions default_variation version
    version_min version_max version_max_usable input_description tags_help clean_files clean_output_files
    print_env_at_the_end print_files_if_script_error extra_cache_tags_from_env local_env_keys
    clean_env_keys_post_deps env_key_mappings tests gui docker_input_mapping customize min_cm_version
    min_mlc_version repo_to_report_errors invalid_variation_combinations valid_variation_combinations
    variation_groups_order variation_tags_alias docker_off print_env_at_the_end_disabled sudo_install
    file_path_env_keys folder_path_env_keys remote_run install_python_requirements default_variations
    homepage website license authors copyright date documentation""".split()
)
VARIATION_KEYS = frozenset(
    f"""{_BLOCK} group default base alias default_variations default_gui docker_off name desc private""".split()
)
VERSION_KEYS = frozenset(_BLOCK.split())
_DEPENDENCY_KEYS = """
tags names env state const const_state enable_if_env enable_if_any_env skip_if_env skip_if_any_env
skip_if_fake_run skip_inside_docker dynamic version version_min version_max version_max_usable
update_tags_from_env update_tags_from_env_with_prefix update_tags_if_env inherit_variation_tags
skip_inherit_variation_groups reuse_version force_env_keys force_new_env_keys force_new_state_keys new_env_keys
extra_cache_tags extra_cache_rm_tags force_cache skip_cache new renew quiet ad adr add_deps add_deps_recursive
verify inherit_cache_expiration cache_expiration continue_on_error ignore_missing env_key path input output name
"""
DEPENDENCY_KEYS = frozenset(_DEPENDENCY_KEYS.split())
